import type { Command } from 'commander';
import { KennelError } from '../../core/errors.ts';
import type { CliContext } from '../context.ts';

/** What may follow the words of a command: its options, and commands below it. */
interface Place {
  /** `keys create`; empty for the program itself. */
  readonly path: string;
  readonly words: readonly { readonly word: string; readonly description: string }[];
}

/** `kennel completion bash|zsh|fish`: a script for the shell, made of the commands that there are. */
export function completion({ terminal }: CliContext, program: Command, shell: string): number {
  const script = SCRIPTS[shell];
  if (!script)
    throw new KennelError(
      'usage.invalid',
      `There is completion for bash, zsh and fish, not ${shell}.`,
    );
  terminal.out(script(placesOf(program)));
  return 0;
}

function placesOf(command: Command, path = ''): readonly Place[] {
  const { commands, options } = command;
  const words = [
    ...commands.map((one) => ({ word: one.name(), description: one.description() })),
    ...options.map(({ long, short, description }) => ({ word: long ?? short ?? '', description })),
  ];
  const below = commands.flatMap((one) => placesOf(one, `${path} ${one.name()}`.trim()));
  return [{ path, words }, ...below];
}

const cases = (places: readonly Place[]): string =>
  places
    .map(
      ({ path, words }) => `    '${path}') words='${words.map(({ word }) => word).join(' ')}' ;;`,
    )
    .join('\n');

/** The words so far that are commands: what begins with a dash, and arguments, are none. */
const bash = (places: readonly Place[]): string => `_kennel() {
  local path='' next words='' known=' ${places.map(({ path }) => path.replaceAll(' ', '/')).join(' ')} '
  for next in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$known" in *" \${path:+\${path// //}/}$next "*) path="\${path:+$path }$next" ;; esac
  done
  case "$path" in
${cases(places)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _kennel kennel`;

const zsh = (places: readonly Place[]): string =>
  `#compdef kennel\nautoload -U +X bashcompinit && bashcompinit\n${bash(places)}`;

const quoted = (text: string): string => `'${text.replaceAll(/['\\]/g, '\\$&')}'`;

/** Commands by the words before them, options by the command that they belong to. */
const fish = (places: readonly Place[]): string =>
  places
    .flatMap(({ path, words }) => {
      const seen = path.split(' ').filter((word) => word !== '');
      const when = seen.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
      const condition = when === '' ? '__fish_use_subcommand' : when;
      return words.map(
        ({ word, description }) =>
          `complete -c kennel -n ${quoted(condition)} ${word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`} -d ${quoted(description)}`,
      );
    })
    .join('\n');

const SCRIPTS: Readonly<Record<string, (places: readonly Place[]) => string>> = { bash, zsh, fish };
