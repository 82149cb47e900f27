import type {
  Job,
  Leash,
  Progress,
  RecorderExit,
  RecorderHold,
  RecorderNews,
} from '../../machines/ports.ts';
import type { JobState } from '../../machines/vocabulary.ts';
import type { RecorderRun } from './script.ts';
import { POLICY } from './simPolicy.ts';
import { FILE_SPEED, isProgram, isTroubled, signsAt, silentMsMax } from './simProgram.ts';
import type { World } from './world.ts';

const SEGMENT_MS = 1_000;
const STOP_MS = 50;
/** A new recorder's first signs of life take this long to arrive; until then the old one's numbers stand. */
const FIRST_PROGRESS_MS = 300;
const NO_PROGRESS: Progress = { beats: 0, bytes: 0, advertised: 0, settled: 0 };
const CLEAN: RecorderRun = { kind: 'clean', afterMs: 0, startMs: 0, dieMs: 50 };
const ORPHAN_GRACE_MS = 30_000;
/** A native recorder that shows no more signs of life is gone after this long, the longest dying included. */
const SILENT_MS_MAX = POLICY.heartbeat.everyMs * (POLICY.heartbeat.patience + 1) + 5_000;
/** No recorder goes on for so long after the duration, or starts after an order to end, whatever fell meanwhile. */
const OVERRUN_MS = 300_000;
const DEAF_MS = 120_000;
/** Whoever records for longer than that after a fall is seen to do so: two looks, and what the first numbers take. */
const RECOVERY_SEEN_MS = 2 * POLICY.programLookMs + FIRST_PROGRESS_MS;

interface Recorder {
  readonly jobId: string;
  readonly number: number;
  readonly script: RecorderRun;
  readonly bornAt: number;
  alive: boolean;
  /** It was told to go, whatever it makes of it: nobody listens for its beats any more. */
  isLeaving: boolean;
  /** The life of the node whose leash holds it. */
  life: number;
  startedAt?: number;
  /** Segments that it wrote itself. */
  wrote: number;
  /** When it wrote its first segment, and when it was gone. */
  wroteAt?: number;
  goneAt?: number;
  hear?: ((news: RecorderNews) => void) | undefined;
}

/** Recorders and what they wrote: they outlive the node, until their orphan grace is over. */
export class SimRecorders {
  readonly disk = new Map<string, Set<string>>();
  readonly startedAt = new Map<string, number>();
  readonly ended = new Set<string>();
  readonly muxed = new Map<string, ReadonlySet<string>>();
  readonly uploaded = new Map<string, ReadonlySet<string>>();
  readonly kills: { readonly jobId: string; readonly why: string; readonly at: number }[] = [];
  readonly #all: Recorder[] = [];
  readonly #runs = new Map<string, number>();
  readonly #exitedAt = new Map<string, number>();
  /** The last numbers of the recorders that are gone, with all the media that programs have brought. */
  readonly #last = new Map<string, Progress>();
  readonly #recordedMs = new Map<string, number>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  alive(jobId?: string): readonly Recorder[] {
    return this.#all.filter((one) => one.alive && (jobId === undefined || one.jobId === jobId));
  }

  files(jobId: string): ReadonlySet<string> {
    return this.disk.get(jobId) ?? new Set();
  }

  /** What must hold at the instant when a state is committed. */
  checkCommitted(jobId: string, state: JobState): void {
    const world = this.#world;
    if (state !== 'recording' && state !== 'retrying' && this.alive(jobId).length > 0)
      world.violate('recorderGone', `${jobId} is ${state} while a recorder lives`);
    if (state === 'done')
      for (const file of this.files(jobId))
        if (!this.uploaded.get(jobId)?.has(file)) world.violate('nothingLost', `${jobId} ${file}`);
  }

  orphan(): void {
    const { clock, life } = this.#world;
    for (const one of this.alive()) {
      one.hear = undefined;
      clock.setTimeout(() => {
        if (one.alive && one.life < life + 1) this.#exit(one, crashed('orphaned'));
      }, ORPHAN_GRACE_MS);
    }
  }

  /** The leash of one life of the node. At boot it adopts what can be adopted. */
  leashOf(life: number): Leash {
    const world = this.#world;
    // One in three cannot be reached any more: those must be cleared before a job goes on.
    for (const one of this.alive()) if (one.number % 3 !== 2) one.life = life;
    const held = (jobId: string) => this.alive(jobId).find((one) => one.life === life);
    const end = async (which: (one: Recorder) => boolean) => {
      for (const one of this.#all.filter((one) => one.alive && which(one))) {
        await world.later(life, 30);
        this.#exit(one, crashed('cleared'));
      }
    };
    return {
      take: (job, hear) => {
        world.throwIfBuggy(job.id, 'take');
        if (world.life !== life) return { stop() {}, kill() {}, release() {} };
        const recorder = held(job.id) ?? this.#start(job, life);
        recorder.hear = hear;
        const { startedAt } = recorder;
        const isForgotten = world.script.isLeashForgetful && (startedAt ?? 0) < world.bootedAt;
        if (startedAt !== undefined && !isForgotten) this.#tellStarted(recorder, startedAt);
        if (recorder.bornAt < world.clock.now) world.incident('adopt', job.id);
        return this.#holdOf(recorder, { hear, life });
      },
      holds: (jobId) => held(jobId) !== undefined,
      clear: (jobId) => end((one) => one.jobId === jobId && one.life !== life),
      end: (jobId) => end((one) => one.jobId === jobId),
      progress: (jobId) => {
        world.throwIfBuggy(jobId, 'progress');
        return this.#progressOf(jobId, held(jobId));
      },
      strayFiles: (jobId) => {
        world.throwIfBuggy(jobId, 'strayFiles');
        const one = held(jobId);
        return one && this.#progressOf(jobId, one).program?.stray;
      },
    };
  }

  #progressOf(jobId: string, recorder: Recorder | undefined): Progress {
    const ageMs = recorder ? this.#world.clock.now - recorder.bornAt : 0;
    const last = this.#last.get(jobId) ?? NO_PROGRESS;
    if (!recorder || ageMs < FIRST_PROGRESS_MS) return last;
    const segments = this.files(jobId).size;
    const beats = Math.floor(Math.min(ageMs, hangsAt(recorder.script)) / 250);
    const { wrote } = recorder;
    const numbers = { beats, bytes: wrote, advertised: segments, settled: segments };
    if (!isProgram(recorder.script.kind)) return numbers;
    const recordedMs = this.#recordedMs.get(jobId) ?? 0;
    return { ...numbers, program: signsAt(recorder.script, ageMs, recordedMs) };
  }

  #holdOf(
    recorder: Recorder,
    { hear, life }: { hear: (news: RecorderNews) => void; life: number },
  ): RecorderHold {
    const world = this.#world;
    const { kind } = recorder.script;
    const obeys = kind !== 'stubborn' && kind !== 'hang' && !isTroubled(kind);
    return {
      stop: (why) => {
        if (world.life !== life || !recorder.alive) return;
        world.log(`stop ${recorder.jobId} ${why}`);
        recorder.isLeaving = true;
        if (why === 'over') this.#checkDuration(recorder);
        if (obeys) world.clock.setTimeout(() => this.#exit(recorder, stopped(why)), STOP_MS);
      },
      kill: (why) => {
        if (world.life !== life || !recorder.alive) return;
        world.log(`kill ${recorder.jobId} ${why}`);
        recorder.isLeaving = true;
        if (!isGuilty(recorder.script, why, world.clock.now - recorder.bornAt))
          world.violate('falseAlarm', `${recorder.jobId} ${kind} killed as ${why}`);
        world.incident('kill', recorder.jobId);
        this.kills.push({ jobId: recorder.jobId, why, at: world.clock.now });
        world.clock.setTimeout(() => this.#exit(recorder, crashed(why)), recorder.script.dieMs);
      },
      release: () => {
        if (recorder.hear === hear) recorder.hear = undefined;
      },
    };
  }

  #checkDuration(recorder: Recorder): void {
    const world = this.#world;
    const { jobId } = recorder;
    const due = this.#dueOf(jobId);
    const { program } = this.#progressOf(jobId, recorder);
    const isFilled = (program?.recordedMs ?? 0) >= this.#durationOf(jobId);
    if (world.clock.now < due && !isFilled)
      world.violate('duration', `${recorder.jobId}: too early`);
    const calm = world.script.nodeCrashes.length + world.script.bugs.length === 0;
    const wasUp = recorder.bornAt + recorder.script.startMs < due;
    if (calm && wasUp && world.clock.now > Math.max(due, this.#extendedAt(jobId)) + 1)
      world.violate('duration', `${recorder.jobId}: ${world.clock.now - due} ms late`);
  }

  /** How much is wanted of a job, milliseconds; and when it is over by the clock, as its row says. */
  #durationOf(jobId: string): number {
    return this.#world.database.row(jobId).job.spec.durationMs ?? Number.POSITIVE_INFINITY;
  }

  #dueOf(jobId: string): number {
    const { endAt = Number.POSITIVE_INFINITY } = this.#world.database.row(jobId).job.spec;
    const startedAt = this.startedAt.get(jobId) ?? Number.POSITIVE_INFINITY;
    return Math.min(startedAt + this.#durationOf(jobId), endAt);
  }

  #extendedAt(jobId: string): number {
    return this.#world.queue.extendedAt.get(jobId) ?? 0;
  }

  /** Of every recorder that records again after a fall it is told, and of none that does not. */
  checkRecoveries(): void {
    const world = this.#world;
    const told = new Set(
      world.database.decisions
        .filter(({ decision }) => decision === 'recorder.recovered')
        .map(({ jobId, evidence }) => `${jobId} ${Number(evidence['attempt']) - 1}`),
    );
    if (!world.isCalm) return;
    for (const { jobId, number, wroteAt, goneAt = world.clock.now } of this.#all) {
      const isTold = told.has(`${jobId} ${number}`);
      const wroteMs = wroteAt === undefined ? -1 : goneAt - wroteAt;
      const hasFallen = number > 0 && !this.ended.has(jobId);
      if (isTold && (number === 0 || wroteAt === undefined))
        world.violate('recovered', `${jobId}: recorder ${number} has not recovered from anything`);
      if (!isTold && hasFallen && wroteMs > RECOVERY_SEEN_MS)
        world.violate('recovered', `${jobId}: nobody tells that recorder ${number} records again`);
    }
  }

  #start(job: Job, life: number): Recorder {
    const { clock, script } = this.#world;
    const number = this.#runs.get(job.id) ?? 0;
    this.#runs.set(job.id, number + 1);
    const scripted = script.jobs[Number(job.id.slice(1))]?.runs[number];
    const run: RecorderRun = scripted ?? CLEAN;
    if (this.alive(job.id).length > 0)
      this.#world.violate('oneRecorder', `a second live recorder for ${job.id}`);
    const recorder: Recorder = {
      jobId: job.id,
      number,
      script: run,
      bornAt: clock.now,
      alive: true,
      isLeaving: false,
      wrote: 0,
      life,
    };
    this.#all.push(recorder);
    this.#checkStart(recorder);
    this.#world.queue.checkStart(job.id);
    this.#world.incident('start', job.id);
    this.#world.log(`start ${job.id} ${number} ${run.kind}`);
    if (this.ended.has(job.id)) {
      clock.setTimeout(() => this.#exit(recorder, ENDLIST), 1);
      return recorder;
    }
    clock.setTimeout(() => this.#begin(recorder), run.startMs);
    if (run.kind === 'hang' && this.#world.isCalm)
      clock.setTimeout(() => this.#checkHung(recorder), run.afterMs + SILENT_MS_MAX);
    if ((isTroubled(run.kind) || run.kind === 'mux') && this.#world.isCalm)
      clock.setTimeout(() => this.#checkHung(recorder), run.afterMs + silentMsMax(run));
    const exit = EXITS[run.kind];
    if (exit) clock.setTimeout(() => this.#exit(recorder, exit), run.afterMs);
    return recorder;
  }

  /** A recorder must not be started when all know that it is too late, and not at once after the last one. */
  #checkStart({ jobId, number }: Recorder): void {
    const world = this.#world;
    const { now } = world.clock;
    const told = world.told.get(jobId);
    if (told && now > told.at + DEAF_MS && world.hasBeenUp(DEAF_MS) && world.rootFalls === 0)
      world.violate('deaf', `${jobId}: recorder ${number} starts long after ${told.type}`);
    if (!world.isCalm) return;
    // The commit that begins the job may take seconds, but those of a restart are written behind.
    if (now > this.#dueOf(jobId) && number > 0)
      world.violate('duration', `${jobId}: recorder ${number} starts after its end`);
    if ((this.#last.get(jobId)?.program?.recordedMs ?? 0) >= this.#durationOf(jobId))
      world.violate('duration', `${jobId}: recorder ${number} starts although there is enough`);
    const exitedAt = this.#exitedAt.get(jobId) ?? Number.NEGATIVE_INFINITY;
    if (now - exitedAt < POLICY.recorder.minBackoffMs)
      world.violate(
        'backoff',
        `${jobId}: recorder ${number} starts ${now - exitedAt} ms after the last`,
      );
  }

  #checkHung(recorder: Recorder): void {
    if (recorder.alive && !recorder.isLeaving)
      this.#world.violate('silence', `${recorder.jobId}: nobody sees what is wrong with it`);
  }

  #begin(recorder: Recorder): void {
    const { clock } = this.#world;
    if (!recorder.alive || clock.now - recorder.bornAt >= hangsAt(recorder.script)) return;
    recorder.startedAt = this.startedAt.get(recorder.jobId) ?? clock.now;
    this.startedAt.set(recorder.jobId, recorder.startedAt);
    recorder.hear?.({ type: 'recorder.started', at: recorder.startedAt });
    this.#write(recorder, 0);
  }

  #tellStarted(recorder: Recorder, at: number): void {
    const { hear } = recorder;
    this.#world.clock.setTimeout(() => {
      if (recorder.hear === hear) hear?.({ type: 'recorder.started', at });
    }, 0);
  }

  #write(recorder: Recorder, segment: number): void {
    const { clock } = this.#world;
    if (!recorder.alive) return;
    if (clock.now - recorder.bornAt >= hangsAt(recorder.script)) return;
    const { jobId } = recorder;
    const files = this.disk.get(jobId) ?? new Set();
    this.disk.set(jobId, files.add(`${recorder.number}.${segment}`));
    recorder.wroteAt ??= clock.now;
    recorder.wrote += 1;
    this.#checkOverrun(jobId);
    this.#checkFilled(recorder);
    if (this.muxed.has(jobId))
      this.#world.violate('writtenAfterMux', `${jobId} ${recorder.number}.${segment}`);
    clock.setTimeout(() => this.#write(recorder, segment + 1), SEGMENT_MS);
  }

  /** However much fell meanwhile, a node and a database that are up end a recording when its time is over. */
  #checkOverrun(jobId: string): void {
    const world = this.#world;
    const due = Math.max(this.#dueOf(jobId), this.#extendedAt(jobId));
    if (world.clock.now > due + OVERRUN_MS && world.hasBeenUp(OVERRUN_MS) && world.rootFalls === 0)
      world.violate('duration', `${jobId} records on, ${world.clock.now - due} ms after its end`);
  }

  /** A program that brings media faster than it plays is stopped when there is enough. */
  #checkFilled({ jobId, script, bornAt, isLeaving }: Recorder): void {
    const world = this.#world;
    const isFast = script.kind === 'file' || script.kind === 'break';
    if (!isFast || isLeaving || !world.isCalm) return;
    const { program } = this.#progressOf(jobId, this.alive(jobId)[0]);
    const overMs = ((program?.recordedMs ?? 0) - this.#durationOf(jobId)) / FILE_SPEED;
    // It may have been too much from the start; who watches it may learn late that it is a program, or how much is wanted.
    const lateMs = Math.min(
      overMs,
      world.clock.now - bornAt - script.startMs,
      world.clock.now - this.#extendedAt(jobId),
    );
    if (lateMs > POLICY.heartbeat.everyMs + 2 * POLICY.programLookMs)
      world.violate('duration', `${jobId} records on, ${lateMs} ms after there was enough`);
  }

  /** What stays known of a recorder that goes. */
  #remember(recorder: Recorder): void {
    const { jobId } = recorder;
    const progress = this.#progressOf(jobId, recorder);
    if (progress.program === undefined) {
      this.#last.set(jobId, progress);
      return;
    }
    const { stray: _, ...program } = progress.program;
    this.#recordedMs.set(jobId, program.recordedMs);
    this.#last.set(jobId, { ...progress, program });
  }

  #exit(recorder: Recorder, exit: RecorderExit): void {
    if (!recorder.alive) return;
    this.#remember(recorder);
    recorder.alive = false;
    recorder.goneAt = this.#world.clock.now;
    this.#exitedAt.set(recorder.jobId, recorder.goneAt);
    this.#world.incident('exit', recorder.jobId);
    this.#world.log(`exit ${recorder.jobId} ${recorder.number} ${exit.kind} ${exit.why}`);
    if (exit.kind === 'ended') this.ended.add(recorder.jobId);
    if (recorder.life === this.#world.life) recorder.hear?.({ type: 'recorder.exited', exit });
  }
}

/** When it stops to do anything that counts, milliseconds after its start. */
const hangsAt = ({ kind, afterMs }: RecorderRun): number => {
  if (kind === 'blank') return 0;
  return kind === 'hang' || isTroubled(kind) ? afterMs : Number.POSITIVE_INFINITY;
};

/** Whether a recorder of that age may be killed for that reason: a doggy must not bark at a healthy one. */
function isGuilty({ kind, afterMs }: RecorderRun, why: string, ageMs: number): boolean {
  if (why === 'muxing') return kind === 'mux' && ageMs >= afterMs;
  if (why !== 'silent' || kind === 'blank') return true;
  return (kind === 'hang' || isTroubled(kind)) && ageMs >= afterMs;
}

const exitOf = (kind: RecorderExit['kind'], why: string, retryable: boolean): RecorderExit => ({
  kind,
  why,
  retryable,
  evidence: {},
});
const crashed = (why: string) => exitOf('crashed', why, true);
const stopped = (why: string) => exitOf('stopped', why, true);
const ENDLIST = exitOf('ended', 'endlist', false);

const EXITS: Partial<Record<RecorderRun['kind'], RecorderExit>> = {
  crash: crashed('SIGSEGV'),
  break: crashed('SIGPIPE'),
  fatal: exitOf('failed', 'source.notFound', false),
  endlist: ENDLIST,
};
