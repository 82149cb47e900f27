import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { startOrigin } from '../support/origin/origin.ts';
import { ffmpegPath, whyMissing } from '../support/tools.ts';
import { type Choice, choose, KENNEL, RECORDERS } from './loss/choose.ts';
import { HostNames } from './loss/hostNames.ts';
import { type Entrant, play } from './loss/play.ts';
import { findPrograms, type Programs } from './loss/programs.ts';
import { complaints, table } from './loss/report.ts';
import { KennelUnderTest } from './loss/runKennel.ts';
import { runProgram } from './loss/runProgram.ts';
import { SCENARIOS } from './loss/scenarios.ts';
import { keptPromise, type Verdict, verdictOf } from './loss/verdict.ts';

const USAGE = `node test/bench/loss.ts [--short] [--only NAME,…] [--recorders NAME,…] [--at-once N] [--json FILE] [--list]
  What recorders lose when origins misbehave: every scenario to every recorder, on one live origin, judged by the packets of what
  they leave. Ends with 1 when Kennel loses, repeats or tears anything that was to be had, or does not tell the truth about it.
    --short      a selection, within three minutes
    --only       these scenarios (--list names all)
    --recorders  these of ${RECORDERS.join(', ')}
    --at-once    how many programs run at the same time, besides Kennel (default: 12 for each core)
    --json       also writes all verdicts to a file`;

/** A recording of this size takes a hundredth of a core; starting the program takes a second of one. */
const AT_ONCE_PER_CORE = 12;

/** What is lost in this scenario was lost to the bench. */
const CONTROL = 'no-fault';

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    only: { type: 'string' },
    recorders: { type: 'string' },
    'at-once': { type: 'string', default: String(AT_ONCE_PER_CORE * availableParallelism()) },
    json: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const print = (text: string): unknown => process.stdout.write(`${text}\n`);

const LEGEND = `Cells: lost/duplicated/torn → exit code. lost: segments that were to be had (sound in the playlist and at their address for 1.5 s each)
and are not in the output, from the first recorded one on. unavoidable: that nobody could have had; not counted as lost. torn: there in
part. LIED: all is well by its exit code (Kennel: or by its account), though something is missing, unavoidable or not. HUNG: did not end
by itself and was ended. left at start: segments of the first playlist that it did not take; not counted as lost. –: needs a second link.`;

async function perform(choice: Choice, programs: Programs, ffmpeg: string): Promise<Verdict[]> {
  const kennel = choice.recorders.includes(KENNEL) ? new KennelUnderTest(ffmpeg) : undefined;
  const names = HostNames.writable ? new HostNames() : undefined;
  const scenarios = choice.scenarios.filter(({ unresolved }) => names || !unresolved);
  for (const { name } of choice.scenarios.filter((one) => !scenarios.includes(one))) {
    print(`did not run: ${name}, because /etc/hosts may not be written here`);
  }
  const entrants: Entrant[] = programs.found.map((program) => ({
    name: program.name,
    hasFallback: false,
    isLight: false,
    record: (stage, directory) => runProgram(program, stage, directory),
  }));
  if (kennel) {
    const record: Entrant['record'] = (stage) => kennel.record(stage);
    entrants.unshift({ name: KENNEL, hasFallback: true, isLight: true, record });
  }
  const atOnce = Number(values['at-once']);
  print(
    `${scenarios.length} scenarios; at most ${atOnce} programs at once, besides one Kennel with all its jobs\n`,
  );
  const origin = await startOrigin({ streams: {} });
  const directory = await mkdtemp(join(tmpdir(), 'kennel-loss-'));
  try {
    await kennel?.start();
    const delay = monitorEventLoopDelay();
    delay.enable();
    const played = await play(scenarios, entrants, { origin, directory, names, atOnce });
    const late = (ns: number): string => `${(ns / 1e6).toFixed(0)} ms`;
    print(`the origin was ${late(delay.max)} late at most (99 %: ${late(delay.percentile(99))})\n`);
    const verdicts: Verdict[] = [];
    // Judged when nobody records any more, so that it disturbs nobody.
    for (const { stage, ending } of played) verdicts.push(await verdictOf(stage, ending, ffmpeg));
    return verdicts;
  } finally {
    await kennel?.stop();
    names?.restore();
    await origin.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

function tell(choice: Choice, recorders: readonly string[], verdicts: readonly Verdict[]): number {
  const played = choice.scenarios.filter(({ name }) =>
    verdicts.some(({ scenario }) => scenario === name),
  );
  print(`${table(played, recorders, verdicts)}\n\n${LEGEND}`);
  const restless = verdicts.filter(
    ({ scenario, recorder, lost }) =>
      scenario === CONTROL && recorder !== KENNEL && lost.length > 0,
  );
  if (restless.length > 0) {
    const names = restless.map(({ recorder }) => recorder).join(', ');
    print(
      `\n${names} lost segments where nothing went wrong: this machine was too busy for a fair comparison; try --at-once less.`,
    );
  }
  const broken = verdicts.filter((verdict) => verdict.recorder === KENNEL && !keptPromise(verdict));
  if (broken.length === 0) return 0;
  print(`\nKennel broke its promise in ${broken.length} scenarios:\n${complaints(broken)}`);
  return 1;
}

async function main(): Promise<number> {
  if (values.help || values.list) {
    const line = ({ name, what }: (typeof SCENARIOS)[number]): string =>
      `${name.padEnd(24)} ${what}`;
    print(values.list ? SCENARIOS.map(line).join('\n') : USAGE);
    return 0;
  }
  const choice = choose(values);
  const ffmpeg = await ffmpegPath();
  if (ffmpeg === undefined) {
    print(
      `did not run: all of it, because outputs are judged with ffmpeg: ${await whyMissing('ffmpeg')}`,
    );
    return 0;
  }
  const programs = await findPrograms(choice.recorders);
  for (const { name, description } of programs.found) print(`${name}: ${description}`);
  for (const { name, why } of programs.missing) print(`did not run: ${name}, because ${why}`);
  print(`node ${process.version}, ${availableParallelism()} cores`);
  const verdicts = await perform(choice, programs, ffmpeg);
  const present = new Set([KENNEL, ...programs.found.map(({ name }) => name)]);
  const recorders = RECORDERS.filter(
    (name) => present.has(name) && choice.recorders.includes(name),
  );
  if (values.json) await writeFile(values.json, `${JSON.stringify(verdicts, null, 2)}\n`);
  return tell(choice, recorders, verdicts);
}

process.exitCode = await main();
