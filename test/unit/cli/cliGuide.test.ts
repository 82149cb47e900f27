import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { commandLine } from '../../../src/cli/commandLine.ts';
import type { CliContext } from '../../../src/cli/context.ts';

const guide = readFileSync(new URL('../../../docs/guides/cli.md', import.meta.url), 'utf8');
// Nothing is run, so nothing of it is asked.
const program = commandLine({} as CliContext, () => undefined);

/** `keys create` of every command that does something. */
const namesOf = (command: Command, above = ''): string[] =>
  command.commands.flatMap((one) => {
    const name = `${above} ${one.name()}`.trim();
    return one.commands.length > 0 ? namesOf(one, name) : [name];
  });
const commands = namesOf(program);

test.each(commands)('the guide tells of kennel %s, and shows how it is used', (name) => {
  expect(guide).toMatch(new RegExp(`^##+ .*\`kennel ${name}\``, 'm'));
  const examples = [...guide.matchAll(/^```sh\n(.*?)^```/gms)].map(([, code]) => code).join('\n');
  expect(examples).toMatch(new RegExp(`kennel ${name}\\b`));
});

test('the guide tells of no command that there is not, and its examples can be read', async () => {
  const headings = [...guide.matchAll(/^##+ (.*)$/gm)].flatMap(([, heading = '']) =>
    [...heading.matchAll(/`kennel ([a-z ]+)`/g)].map(([, name]) => name),
  );
  expect(headings.sort()).toEqual([...commands].sort());
  const known = new Set(
    [program, ...allOf(program)].flatMap(({ options }) =>
      options.flatMap(({ long, short }) => [long, short]),
    ),
  );
  const used = [...guide.matchAll(/^kennel .*$/gm)].flatMap(
    ([line]) => line.replace(/#.*|\| .*/, '').match(/(?<= )--?[a-z][a-z-]*/g) ?? [],
  );
  expect(used.filter((option) => !known.has(option))).toEqual([]);
});

const allOf = (command: Command): Command[] =>
  command.commands.flatMap((one) => [one, ...allOf(one)]);
