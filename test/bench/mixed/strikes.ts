import { setTimeout as sleep } from 'node:timers/promises';
import { type LivingProcess, programsOf } from '../../support/worlds/processes.ts';

/** Programs that are struck; what is around them in a cage is not. */
const TOOLS = /^(yt-dlp|ffmpeg|streamlink|python3?)$/;
/** Between two strikes, milliseconds: with seven jobs each of them falls some ten times in ten minutes, and may twenty times. */
const STRIKE_EVERY_MS = 8_000;

/** How a tool can fail, each with the processes that it befalls. */
const STRIKES: readonly {
  readonly name: string;
  readonly signal: NodeJS.Signals;
  choose(tools: readonly LivingProcess[]): readonly LivingProcess[];
}[] = [
  { name: 'killed', signal: 'SIGKILL', choose: (tools) => tools.slice(0, 1) },
  { name: 'its child killed', signal: 'SIGKILL', choose: (tools) => tools.slice(-1) },
  { name: 'all killed', signal: 'SIGKILL', choose: (tools) => tools },
  { name: 'stopped', signal: 'SIGSTOP', choose: (tools) => tools },
  { name: 'interrupted', signal: 'SIGINT', choose: (tools) => tools.slice(0, 1) },
  { name: 'terminated', signal: 'SIGTERM', choose: (tools) => tools.slice(0, 1) },
];

/** Strikes one of the jobs' programs again and again until the signal. Resolves with how often what was done. */
export async function strikes(
  jobIds: () => readonly string[],
  { signal, random }: { readonly signal: AbortSignal; random(): number },
): Promise<ReadonlyMap<string, number>> {
  const done = new Map<string, number>();
  const any = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)];
  const isOver = (): boolean => signal.aborted;
  while (!isOver()) {
    await sleep(STRIKE_EVERY_MS * (0.5 + random()), undefined, { signal }).catch(() => undefined);
    if (isOver()) break;
    const living = jobIds()
      .map((id) => programsOf(id).filter(({ name }) => TOOLS.test(name)))
      .filter((tools) => tools.length > 0);
    const tools = any(living);
    const strike = any(STRIKES);
    if (tools === undefined || strike === undefined) continue;
    const targets = strike.choose(tools.toSorted((a, b) => a.pid - b.pid));
    for (const { pid } of targets) send(pid, strike.signal);
    const what = `${tools[0]?.name} ${strike.name}`;
    done.set(what, (done.get(what) ?? 0) + 1);
  }
  return done;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended by itself.
  }
}
