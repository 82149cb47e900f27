import { setTimeout as sleep } from 'node:timers/promises';
import { startOrigin } from '../../origin/origin.ts';
import { FAKE_VARIABLE, type FakeTool, makeFakeTool } from '../fakeTool.ts';
import { processesNaming, processOf } from '../processes.ts';
import { type Ended, logsOf, type ProgramStage, programStage } from '../programStage.ts';
import type { WorldTools } from '../worldTools.ts';
import { drillFaults, wrongTimes } from './drillFault.ts';
import type { DrillKind } from './drillKinds.ts';
import type { Drilled } from './judgeDrill.ts';
import { type ProgramWatch, watchPrograms } from './programWatch.ts';
import { type ToldEnd, toldEnds } from './toldEnds.ts';

export interface DrillOptions {
  readonly tools: Partial<WorldTools> & Pick<WorldTools, 'ffmpeg'>;
  /** Faults in this recording; fewer when time does not suffice. */
  readonly faults: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Faults that one recording takes: it has to stay below the length of the set, and each costs one of its restart budget, whose pauses grow
 * up to two seconds.
 */
export const FAULTS_MAX = 4;
/** Between two strikes at most; they come at a random moment of it, and not before there is something to lose. */
const STRIKE_EVERY_MS = 3_000;
const CALM_MS = 1_250;
/** No strike later than this, so that there is time to recover. */
const STRIKE_UNTIL_MS = 34_000;
/**
 * A set lasts a minute; then the origin's timestamps jump back. Recordings begin some seconds behind its edge, and their end may take
 * some seconds. Most are over earlier, because they are stopped when they have recovered from the last fault.
 */
const LENGTH_MAX_MS = 46_000;
/** A fake that does no wrong until it is asked to end is asked so early. */
const LENGTH_PATIENT_MS = 5_000;
const RECOVERED_WITHIN_MS = 20_000;
const LOOK_MS = 100;
/** A signal has worked by then. */
const SETTLED_MS = 500;

export async function runDrill(kind: DrillKind, options: DrillOptions): Promise<Drilled> {
  const { tools, environment } = options;
  const { misdeed, recorder } = kind;
  const { ffmpeg } = tools;
  const fake = misdeed === undefined ? undefined : makeFakeTool({ as: recorder, misdeed, ffmpeg });
  const stage = programStage({
    ...environment,
    ...(fake && { [FAKE_VARIABLE[recorder]]: fake.path }),
  });
  await using origin = await startOrigin({
    streams: { ts: { set: 'ts', window: 10, startsOnRequest: true } },
  });
  const watch = watchPrograms(stage.home.dataDir, fake?.path ?? pathOf(kind, tools));
  try {
    const url = origin.playlistUrl('ts');
    return await perform({ kind, options, stage, watch, fake, url, struck: [] });
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
  /** Who was struck, and what that did. */
  readonly struck: string[];
}

async function perform(scene: Scene): Promise<Drilled> {
  const { kind, stage, watch, fake, url } = scene;
  const lengthMs = kind.leadsTo === 'stops' ? LENGTH_PATIENT_MS : LENGTH_MAX_MS;
  const running = stage.start(
    url,
    ...['--recorder', kind.recorder, '--duration', `${lengthMs / 1_000}s`],
  );
  let isOver = false;
  void running.ended.then(() => {
    isOver = true;
  });
  await running.saw('recording.started').catch(() => undefined);
  const trouble = kind.leadsTo === 'recovers' ? await makeTrouble(scene, () => isOver) : undefined;
  const stoppedAt = Date.now();
  if (kind.leadsTo === 'recovers') running.child.kill('SIGINT');
  const ended = stage.ended(await running.ended);
  watch.close();
  const leftovers = stage.leftovers(ended);
  const left = fake ? processesNaming(fake.token) : [];
  const told = toldEnds(ended, logsOf(stage.home, Number.POSITIVE_INFINITY));
  const stop = told.find(({ text }) => /"decision":"recorder\.stop"/.test(text));
  const { records, untruths } = await accountOf(scene, ended);
  const { programs } = watch;
  const timesOf = {
    recovers: () => trouble?.struck ?? wrongTimes(kind, programs, { ...trouble, stoppedAt }),
    stops: () => (stop ? [stop.at] : []),
    fails: () => wrongTimes(kind, programs, {}),
  };
  const times = timesOf[kind.leadsTo]();
  return {
    kind: kind.name,
    faults: drillFaults({ kind, times, programs, told, records }),
    ...(kind.leadsTo === 'stops' && endedMs(told, stop)),
    orphans: [
      ...leftovers.filter((one) => one.startsWith('process')),
      ...left.map(({ pid }) => `process ${pid} of the fake`),
    ],
    strays: leftovers.filter((one) => one.startsWith('file')),
    untruths,
    ...{ state: ended.last?.state, verdict: ended.last?.verdict, outcome: ended.last?.outcome },
    story: [...scene.struck, storyOf(ended, logsOf(stage.home))].join('\n'),
  };
}

const endedMs = (told: readonly ToldEnd[], stop: ToldEnd | undefined): Partial<Drilled> => {
  const over = told.find(({ text }) => /"job\.moved".*"to":"muxing"/.test(text));
  return stop && over ? { endedMs: over.at - stop.at } : {};
};

/** The account of what was recorded; where nothing can be, that nothing is claimed. */
async function accountOf(
  { kind, options, stage }: Scene,
  ended: Ended,
): Promise<Pick<Awaited<ReturnType<ProgramStage['account']>>, 'records' | 'untruths'>> {
  if (kind.leadsTo === 'fails') {
    const { last } = ended;
    const claims = last?.files.length || last?.proof['stored'] || last?.proof['advertised'];
    return { records: [], untruths: claims ? ['media is claimed that never was'] : [] };
  }
  return await stage
    .account(ended, { ffmpeg: options.tools.ffmpeg, truth: 'ts' })
    .catch((error: unknown) => ({ records: [], untruths: [`no account: ${String(error)}`] }));
}

interface Trouble {
  /** The times of what was done from outside. */
  readonly struck?: readonly number[];
  /** Programs that were started later behave. */
  readonly reformedAt?: number;
}

/** Sees to it that there is trouble, and that it is over. */
async function makeTrouble(scene: Scene, isOver: () => boolean): Promise<Trouble> {
  const { kind, options, watch, fake } = scene;
  if (kind.strike) {
    const struck = await strikeAgain(scene, isOver);
    await recovered(scene, struck.at(-1) ?? 0, isOver);
    return { struck };
  }
  const startedAt = Date.now();
  const isEnough = () =>
    wrongTimes(kind, watch.programs, {}).length >= options.faults ||
    Date.now() - startedAt > STRIKE_UNTIL_MS;
  while (!isOver() && !isEnough()) await sleep(LOOK_MS);
  fake?.reform();
  const reformedAt = Date.now();
  await recovered(scene, reformedAt, isOver);
  return { reformedAt };
}

/** Strikes at random moments while a program records. */
async function strikeAgain(scene: Scene, isOver: () => boolean): Promise<number[]> {
  const { kind, options, watch, struck } = scene;
  const times: number[] = [];
  const since = Date.now();
  while (times.length < options.faults && !isOver()) {
    await recovered(scene, times.at(-1) ?? 0, isOver);
    await sleep(Math.random() * STRIKE_EVERY_MS);
    if (Date.now() - since > STRIKE_UNTIL_MS) break;
    const current = watch.current();
    const targets = current ? (kind.strike?.choose(current.program, current.all) ?? []) : [];
    if (isOver() || targets.length === 0) continue;
    times.push(Date.now());
    for (const { pid } of targets) kill(pid, kind.strike?.signal ?? 'SIGKILL');
    void sleep(SETTLED_MS).then(() => {
      const now = targets.map(({ pid }) => processOf(pid)[0]?.state ?? 'gone');
      const names = targets.map(({ name, pid }, at) => `${name} ${pid} ${now[at]}`);
      struck.push(`${new Date().toISOString()} struck: ${names.join(', ')}`);
    });
  }
  return times;
}

/** Resolves a while after media was stored by a program that was started after this, or when waiting is of no use. */
async function recovered(
  { stage, watch }: Scene,
  since: number,
  isOver: () => boolean,
): Promise<void> {
  const from = Date.now();
  const isRecording = () => {
    const next = watch.programs.find(({ startedAt }) => startedAt > since);
    return next !== undefined && stage.storedAt() > next.startedAt;
  };
  while (!isOver() && !isRecording() && Date.now() - from < RECOVERED_WITHIN_MS) {
    await sleep(LOOK_MS);
  }
  await sleep(CALM_MS);
}

/** What was told of moves, decisions and the ends of programs. */
function storyOf({ events, code, stderr }: Ended, logs: string): string {
  const told = events
    .filter(({ type }) => /^job\.|^epoch|segment/.test(type))
    .map((event) => JSON.stringify(event));
  return [`exit code ${code}`, stderr.slice(-2_000), ...told, logs].join('\n');
}

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
