import { setTimeout as sleep } from 'node:timers/promises';
import type { LedgerRecord } from '../../../../src/ledger/record.ts';
import { until } from '../../kennel.ts';
import { startOrigin } from '../../origin/origin.ts';
import { FAKE_VARIABLE, type FakeTool, makeFakeTool } from '../fakeTool.ts';
import { processesNaming } from '../processes.ts';
import { type Ended, logsOf, type ProgramStage, programStage } from '../programStage.ts';
import type { WorldTools } from '../worldTools.ts';
import type { DrillKind } from './drillKinds.ts';
import { type ProgramWatch, type SeenProgram, watchPrograms } from './programWatch.ts';

/** What one fault led to; milliseconds after it. Absent: never. */
export interface Recovery {
  readonly restartMs?: number;
  readonly mediaMs?: number;
}

/** What came of one recording with several faults of one kind. */
export interface Drilled {
  readonly kind: string;
  readonly faults: readonly Recovery[];
  /** Whether each end of a program was told with its reason. */
  readonly hasReason: boolean;
  /** How long after its duration the job had ended, milliseconds. */
  readonly overtimeMs: number;
  readonly orphans: readonly string[];
  readonly strays: readonly string[];
  readonly untruths: readonly string[];
  readonly exitCode: number | null;
  /** For whoever has to understand it. */
  readonly story: string;
}

export interface DrillOptions {
  readonly tools: Partial<WorldTools> & Pick<WorldTools, 'ffmpeg'>;
  /** Faults in this recording. */
  readonly faults: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Faults that one recording takes: it has to stay below the length of the set, and within its restart budget. */
export const FAULTS_MAX = 3;
/** From the first media on, and after the last fault, so that there is something to lose. */
const CALM_MS = 2_500;
/** Between two strikes at most; they come at a random moment of it. */
const STRIKE_EVERY_MS = 3_000;
/** A fake program misbehaves so long for each fault that is wanted, and behaves from then on. */
const FAKE_FAULT_MS = 4_000;
/** A set lasts a minute, with the window before the first media and a slow end; then the origin's timestamps jump back. Milliseconds. */
const LENGTH_MAX_MS = 38_000;
const RECOVERED_WITHIN_MS = 20_000;

export async function runDrill(kind: DrillKind, options: DrillOptions): Promise<Drilled> {
  const { tools, environment } = options;
  const fake =
    kind.misdeed === undefined
      ? undefined
      : makeFakeTool({
          ...{ as: kind.recorder, misdeed: kind.misdeed, ffmpeg: tools.ffmpeg },
        });
  const stage = programStage({
    ...environment,
    ...(fake && { [FAKE_VARIABLE[kind.recorder]]: fake.path }),
  });
  await using origin = await startOrigin({
    streams: { ts: { set: 'ts', window: 10, startsOnRequest: true } },
  });
  const watch = watchPrograms(stage.home.dataDir, fake?.path ?? pathOf(kind, tools));
  try {
    return await perform({ kind, options, stage, watch, fake, url: origin.playlistUrl('ts') });
  } finally {
    watch.close();
    for (const pid of stage.home.processes()) kill(pid, 'SIGKILL');
    for (const { pid } of fake ? processesNaming(fake.token) : []) kill(pid, 'SIGKILL');
    fake?.remove();
    stage.remove();
  }
}

interface Scene {
  readonly kind: DrillKind;
  readonly options: DrillOptions;
  readonly stage: ProgramStage;
  readonly watch: ProgramWatch;
  readonly fake: FakeTool | undefined;
  readonly url: string;
}

async function perform(scene: Scene): Promise<Drilled> {
  const { kind, options, stage, watch, fake, url } = scene;
  const durationMs = lengthOf(kind, options.faults);
  const running = stage.start(
    url,
    ...['--recorder', kind.recorder, '--duration', `${durationMs / 1_000}s`],
  );
  await running.saw('recording.started').catch(() => undefined);
  const startedAt = Date.now();
  const reforming = kind.isPatient
    ? undefined
    : setTimeout(() => fake?.reform(), options.faults * FAKE_FAULT_MS);
  const struck = kind.strike ? await strikeAgain(scene, running.ended) : undefined;
  const ended = stage.ended(await running.ended);
  clearTimeout(reforming);
  const overtimeMs = Date.now() - startedAt - durationMs;
  watch.close();
  const leftovers = stage.leftovers(ended);
  const orphans = [
    ...leftovers.filter((one) => one.startsWith('process')),
    ...(fake ? processesNaming(fake.token) : []).map(({ pid }) => `process ${pid} of the fake`),
  ];
  const account = await stage
    .account(ended, { ffmpeg: options.tools.ffmpeg, truth: 'ts' })
    .catch((error: unknown) => ({ records: [], untruths: [`no account: ${String(error)}`] }));
  const faultTimes = struck ?? endsOf(watch.programs, { before: startedAt + durationMs - 500 });
  const recoveries = faultTimes.map((at) => recoveryOf(at, watch.programs, account.records));
  const story = storyOf(ended, stage);
  return {
    kind: kind.name,
    faults: kind.isFruitless ? recoveries.slice(-1) : recoveries,
    hasReason: kind.isPatient === true || kind.reason.test(reasonsIn(story)),
    overtimeMs,
    orphans,
    strays: leftovers.filter((one) => one.startsWith('file')),
    untruths: account.untruths,
    exitCode: ended.code,
    story,
  };
}

function lengthOf(kind: DrillKind, faults: number): number {
  if (kind.isPatient) return 6_000;
  const eachMs = kind.strike ? STRIKE_EVERY_MS + 5_000 : FAKE_FAULT_MS;
  return Math.min(LENGTH_MAX_MS, 2 * CALM_MS + 6_000 + faults * eachMs);
}

/** Strikes at random moments while a program records; the times of the strikes. */
async function strikeAgain(scene: Scene, over: Promise<unknown>): Promise<number[]> {
  const { kind, options, stage, watch } = scene;
  const times: number[] = [];
  let left = true;
  void over.then(() => {
    left = false;
  });
  const isOver = (): boolean => !left;
  for (let strike = 0; strike < options.faults && !isOver(); strike++) {
    const since = times.at(-1) ?? 0;
    const isRecording = () => isOver() || mediaSince(stage, afterRestart(watch.programs, since));
    await until('it records', isRecording, RECOVERED_WITHIN_MS).catch(() => undefined);
    await sleep(CALM_MS / 2 + Math.random() * STRIKE_EVERY_MS);
    const current = watch.current();
    const targets = current ? (kind.strike?.choose(current.program, current.all) ?? []) : [];
    if (isOver() || targets.length === 0) continue;
    times.push(Date.now());
    for (const { pid } of targets) kill(pid, kind.strike?.signal ?? 'SIGKILL');
  }
  return times;
}

const afterRestart = (programs: readonly SeenProgram[], since: number): number =>
  programs.find(({ startedAt }) => startedAt > since)?.startedAt ?? Number.POSITIVE_INFINITY;

/** Whether media was stored after a moment, by the journal's own size: reading it again and again would be a load. */
function mediaSince(stage: ProgramStage, since: number): boolean {
  return stage.storedAt() > since;
}

const endsOf = (programs: readonly SeenProgram[], { before }: { before: number }): number[] =>
  programs.flatMap(({ endedAt }) => (endedAt === undefined || endedAt > before ? [] : [endedAt]));

function recoveryOf(
  at: number,
  programs: readonly SeenProgram[],
  records: readonly LedgerRecord[],
): Recovery {
  const next = programs.find(({ startedAt }) => startedAt > at);
  if (next === undefined) return {};
  const media = records
    .filter((record) => record.t === 'segment')
    .find(({ at: storedAt }) => storedAt > next.startedAt);
  return {
    restartMs: next.startedAt - at,
    ...(media !== undefined && { mediaMs: media.at - at }),
  };
}

/** What was told of moves, decisions and the ends of programs. */
function storyOf({ events, code, stderr }: Ended, { home }: ProgramStage): string {
  const told = events
    .filter(({ type }) => /^job\.|^epoch|segment\.lost/.test(type))
    .map((event) => JSON.stringify(event));
  return [`exit code ${code}`, stderr.slice(-2_000), ...told, logsOf(home)].join('\n');
}

const reasonsIn = (story: string): string =>
  story
    .split('\n')
    .filter((line) => /job\.decided|job\.moved|A program is over/.test(line))
    .join('\n');

function pathOf({ recorder }: DrillKind, tools: DrillOptions['tools']): string {
  const paths = { 'yt-dlp': tools.ytDlp, ffmpeg: tools.ffmpeg, streamlink: tools.streamlink };
  return paths[recorder] ?? recorder;
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended by itself.
  }
}
