import { type Flags, readConfig } from '../../config/load.ts';
import type { CliContext, KennelService, Started } from '../context.ts';
import { listenForSignals, type Signals } from '../run/signals.ts';

export interface ServeOptions extends Flags {
  readonly quiet?: boolean;
}

const EXIT_BUG = 70;

/**
 * `kennel serve`: runs the service until a signal ends it. The first one drains it by policy, a second one ends it at once and leaves
 * its recorder hosts running for the next start to adopt. SIGHUP reads the settings again.
 */
export async function serve(
  { env, terminal, composeService }: CliContext,
  { quiet = false, ...flags }: ServeOptions,
): Promise<number> {
  const load = () => readConfig({ env, flags });
  const say = (sentence: string) => {
    if (!quiet) terminal.err(sentence);
  };
  const service = await composeService({ loaded: load(), load, say });
  const signals = listenForSignals(['SIGINT', 'SIGTERM']);
  const reload = () => tellReload(service, say);
  process.on('SIGHUP', reload);
  let leave = false;
  try {
    say(`listens at ${await service.open()}`);
    const running = service.start().then((started) => tellStart(started, { say, terminal }));
    const isFallen = service.fallen.then(() => true);
    const ending = await Promise.race([
      // A start that fails ends the service; one that succeeds does not.
      running.then(() => Promise.race([isFallen, signals.first])),
      isFallen,
      signals.first,
    ]);
    if (ending === true) {
      terminal.err('kennel: the supervision tree could not be kept alive; see the log.');
      return EXIT_BUG;
    }
    running.catch(() => undefined);
    leave = await drained(service, signals, say);
    return 0;
  } finally {
    await service.stop({ leave });
    process.off('SIGHUP', reload);
    signals.stop();
  }
}

/** Resolves with whether the service was told to end at once. */
async function drained(
  service: KennelService,
  signals: Signals,
  say: (sentence: string) => void,
): Promise<boolean> {
  say(
    'drains; a second signal ends it at once, and its recordings go on until it is started again',
  );
  const atOnce = new AbortController();
  void signals.second.then(() => atOnce.abort());
  await service.drain(atOnce.signal);
  return atOnce.signal.aborted;
}

function tellStart(
  { resumed, firstKey, clipperSecret }: Started,
  { say, terminal }: { say(sentence: string): void; terminal: CliContext['terminal'] },
): void {
  if (resumed > 0) say(`goes on with ${resumed} unfinished job${resumed === 1 ? '' : 's'}`);
  if (firstKey !== undefined) {
    say('the first key of the API, for its admin; it is not shown again:');
    terminal.out(firstKey);
  }
  if (clipperSecret !== undefined) {
    say(
      'The secret that complaints are signed with, for the clipping service; it is shown this once:',
    );
    terminal.out(clipperSecret);
  }
  say('ready');
}

function tellReload(service: KennelService, say: (sentence: string) => void): void {
  const { changed, refused, error } = service.reload('SIGHUP');
  if (error !== undefined) say(`the settings stay as they are. ${error}`);
  for (const { key, from, to } of changed)
    say(`${key}: ${JSON.stringify(from)} is ${JSON.stringify(to)} now`);
  for (const { key, why } of refused) say(`${key} stays as it is: ${why}`);
  if (error === undefined && changed.length + refused.length === 0)
    say('the settings are as they were');
}
