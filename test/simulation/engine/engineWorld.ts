import { type Clock, pause } from '../../../src/core/clock.ts';
import { isKennelError, KennelError, messageOf } from '../../../src/core/errors.ts';
import { Planner } from '../../../src/hls/planner/planner.ts';
import { FETCHES_MAX } from '../../../src/hls/planner/queue.ts';
import { resumeFrom } from '../../../src/hls/planner/resume.ts';
import type { FirstPlaylist } from '../../../src/hls/recordingRun.ts';
import { RecordingRun } from '../../../src/hls/recordingRun.ts';
import { type Journal, openJournal, readJournal } from '../../../src/ledger/journal.ts';
import type { LedgerRecord } from '../../../src/ledger/record.ts';
import { JournalWriter } from '../../../src/recording/journalWriter.ts';
import type { RecordingEnd } from '../../../src/recording/recorder.ts';
import { TAIL_SEGMENTS } from '../../../src/recording/recorderSession.ts';
import { SimClock } from '../simClock.ts';
import type { EngineScript } from './engineScript.ts';
import { SimDisk } from './simDisk.ts';
import { SimOrigin } from './simOrigin.ts';
import { SimSources } from './simSources.ts';
import { SimTaker } from './simTaker.ts';

/** As jobs have it in tests: short, so that runs are. */
export const PATIENCE_MS = 30_000;
/** A fallen recorder is started again after so long; Big Dog waits up to 2 s. */
const RESTART_MS = 1_000;
const OPEN_EVERY_MS = 500;
/** As many segments as may be, and one that is only probed. */
const DOWNLOADS_MAX = FETCHES_MAX + 1;
const DIRECTORY = '/recording';
const WALL_CLOCK_AT = Date.UTC(2026, 5, 1);

/** What a living recorder was shown. */
export interface Shown {
  readonly content: number;
  readonly source: number;
  /** When it was shown, and as of when: an answer takes its time. */
  readonly at: number;
  readonly asOf: number;
  readonly life: number;
}

/** What a life found in the journal. */
export interface Beginning {
  readonly life: number;
  /** When. */
  readonly at: number;
  /** The last epoch, and one past its highest settled number; undefined when there is none. */
  readonly epoch: number | undefined;
  readonly next: number | undefined;
  /** Segments that are stored in that epoch. */
  readonly stored: number;
}

interface Life {
  readonly clock: Clock;
  readonly isOver: () => boolean;
}

/** One recording with everything that befalls it: real planner, run, writer and journal; simulated time, origin and disk. */
export class EngineWorld {
  readonly clock = new SimClock();
  readonly script: EngineScript;
  readonly origin: SimOrigin;
  readonly disk: SimDisk;
  /** What living recorders were shown, in order. */
  shown: Shown[] = [];
  /** Lives that were shown any playlist. */
  readonly looked = new Set<number>();
  readonly beginnings: Beginning[] = [];
  /** Lines whose durability was promised. */
  readonly acknowledged: LedgerRecord[] = [];
  /** When a segment of this epoch and number was durable. */
  readonly durableAt = new Map<string, number>();
  readonly violations: string[] = [];
  readonly trace: string[] = [];
  /** When no recorder lived, milliseconds. */
  readonly deadSpans: { from: number; to: number }[] = [{ from: 0, to: 0 }];
  end: RecordingEnd | undefined;
  lives = 0;
  #life = 0;
  #run: RecordingRun | undefined;
  #isStopped = false;
  #requests = 0;
  #randomState: number;

  constructor(script: EngineScript, seed: number) {
    this.script = script;
    this.#randomState = (Math.abs(seed) % 2_147_483_646) + 1;
    this.origin = new SimOrigin(script);
    this.disk = new SimDisk({
      trouble: () => this.#diskTrouble(),
      later: (run) => this.#later(run),
      random: () => this.random(),
    });
  }

  random(): number {
    this.#randomState = (this.#randomState * 16_807) % 2_147_483_647;
    return this.#randomState / 2_147_483_647;
  }

  get isOver(): boolean {
    return this.end !== undefined;
  }

  note(what: string): void {
    this.trace.push(`${String(Math.round(this.clock.now)).padStart(7)}  ${what}`);
  }

  boot(): void {
    const { script, clock } = this;
    for (const { atMs, forMs, kind } of script.deaths)
      clock.setTimeout(() => this.#die(kind, forMs), atMs);
    if (script.stopAtMs !== undefined) clock.setTimeout(() => this.#stop(), script.stopAtMs);
    this.#begin();
  }

  #stop(): void {
    this.note('stop');
    this.#isStopped = true;
    this.#run?.stop('stopped');
  }

  #die(kind: 'killed' | 'power', forMs: number): void {
    if (this.isOver) return;
    this.note(`${kind} for ${forMs} ms`);
    this.#endLife();
    if (kind === 'power') this.disk.losePower();
    else this.disk.loseProcess();
    this.clock.setTimeout(() => this.#begin(), forMs);
  }

  #endLife(): void {
    if (this.#run !== undefined || this.deadSpans.at(-1)?.to !== Number.POSITIVE_INFINITY)
      this.deadSpans.push({ from: this.clock.now, to: Number.POSITIVE_INFINITY });
    this.#life++;
    this.#run = undefined;
  }

  /** Contents that a living recorder was shown, and when first. */
  get seen(): Map<number, number> {
    const seen = new Map<number, number>();
    for (const { content, at } of this.shown) if (!seen.has(content)) seen.set(content, at);
    return seen;
  }

  /** A new life, unless another one is on already (two deaths that overlap). */
  #begin(): void {
    const life = ++this.#life;
    this.lives++;
    const isOver = () => this.#life !== life;
    const clock = this.#clockOf(isOver);
    this.#live({ clock, isOver }).catch((error: unknown) => {
      if (isOver()) return;
      this.note(`fell: ${messageOf(error)}`);
      if (!isKennelError(error)) this.violations.push(`no bare errors: ${String(error)}`);
      this.#endLife();
      this.disk.loseProcess();
      this.clock.setTimeout(() => this.#begin(), RESTART_MS);
    });
  }

  async #live(life: Life): Promise<void> {
    const { clock } = life;
    const journal = await openJournal(DIRECTORY, {
      clock,
      openFile: this.disk.openJournal,
      ledger: { segmentsKept: TAIL_SEGMENTS },
    });
    if (journal.ledger.ended !== undefined) {
      this.end = journal.ledger.ended;
      return;
    }
    // Before its first epoch is durable, the journal does not know that anything was offered.
    const epoch = journal.ledger.lastEpoch('main');
    if (epoch === undefined) this.shown = [];
    const next = journal.ledger.nextMsn('main');
    const stored = journal.ledger.tail('main', TAIL_SEGMENTS).filter((one) => one.epoch === epoch);
    this.beginnings.push({
      life: this.lives,
      at: this.clock.now,
      epoch,
      next,
      stored: stored.length,
    });
    const writer = this.#writerOf(journal, life);
    const at = clock.now();
    if (journal.ledger.jobId === undefined)
      void writer.write({ t: 'recording', v: 1, checksums: 'blake3', jobId: 'rex', at });
    void writer.write({ t: 'attempt', attempt: this.lives, at, recorder: 'native', pid: 1 });
    const { records } = await readJournal(DIRECTORY, 0, this.disk.openJournal);
    this.disk.removeUnnamed(
      new Set(records.flatMap((one) => (one.t === 'segment' ? one.file : []))),
    );
    const end = await this.#record(life, journal, writer);
    void writer.write({ t: 'ended', at: clock.now(), ...end });
    if (!(await writer.flush(3_000))) {
      await writer.abandon();
      throw new KennelError('disk.failed', 'the last line could not be written');
    }
    this.note(`ended: ${end.why}`);
    this.end = end;
  }

  #writerOf(journal: Journal, { clock, isOver }: Life): JournalWriter {
    const writer = new JournalWriter({
      journal,
      clock,
      syncDirectory: this.disk.syncNames,
      troubled: (error) => this.note(`the journal cannot be written: ${error.code}`),
      healed: () => this.note('the journal is written again'),
      broken: (error) => {
        this.violations.push(`nobody else writes to the journal: ${messageOf(error)}`);
        this.#run?.abort(error);
      },
    });
    const write = writer.write.bind(writer);
    writer.write = async (record, directory) => {
      const isDurable = await write(record, directory);
      if (isDurable && !isOver()) {
        this.acknowledged.push(record);
        if (record.t === 'segment')
          this.durableAt.set(`${record.epoch}/${record.msn}`, clock.now());
        this.note(JSON.stringify(record));
      }
      return isDurable;
    };
    return writer;
  }

  async #record(life: Life, { ledger }: Journal, writer: JournalWriter): Promise<RecordingEnd> {
    const { clock } = life;
    const { second } = this.script;
    const feed = new SimSources({
      origin: this.origin,
      clock,
      links: second === undefined ? 1 : 2,
      dual: second?.dual ?? false,
      latencyMs: () => this.#latencyMs(),
      shown: (source, at) => this.#shown(source, at),
    });
    const first = ledger.startedAt === undefined ? await this.#open(life, feed) : undefined;
    if (first === 'stopped') return { why: 'stopped', evidence: {} };
    if (first !== undefined) {
      await writer.write({ t: 'started', at: clock.now(), source: {} });
      feed.begin(first.source);
    }
    const taker = new SimTaker({
      origin: this.origin,
      disk: this.disk,
      writer,
      clock,
      underWay: (downloads) => {
        if (downloads > DOWNLOADS_MAX)
          this.violations.push(`no more is fetched at once than may be: ${downloads}`);
      },
      latencyMs: () => this.#latencyMs(),
    });
    const resume = resumeFrom(ledger, 'main', clock.now());
    const planner = new Planner({
      track: 'main',
      patienceMs: PATIENCE_MS,
      resume,
      now: clock.elapsed(),
    });
    const run = new RecordingRun({
      planner,
      feed,
      taker,
      writer,
      clock,
      random: () => this.random(),
      beat: () => undefined,
      log: (message, fields) => this.note(`${message} ${JSON.stringify(fields)}`),
    });
    this.#run = run;
    const last = this.deadSpans.at(-1);
    if (last !== undefined && last.to === Number.POSITIVE_INFINITY) last.to = this.clock.now;
    const running = run.run(first);
    if (this.#isStopped) run.stop('stopped');
    const end = await running;
    if (planner.advertised !== planner.settled)
      this.violations.push(
        `all that was advertised is settled at the end: ${planner.settled} of ${planner.advertised}`,
      );
    return end;
  }

  /** The first playlist of the recording; the links in turn until one answers. */
  async #open({ clock }: Life, feed: SimSources): Promise<FirstPlaylist | 'stopped'> {
    const links = this.script.second === undefined ? 1 : 2;
    const { signal } = new AbortController();
    for (let tries = 0; !this.#isStopped; tries++) {
      const source = tries % links;
      try {
        const playlist = await feed.poll(source, {
          signal,
          timeoutMs: 2_000,
          cut: () => undefined,
        });
        if (playlist !== 'unchanged') return { source, playlist };
      } catch (error) {
        if (!isKennelError(error)) throw error;
      }
      await pause(clock, OPEN_EVERY_MS);
    }
    return 'stopped';
  }

  #shown(source: number, at: number): void {
    const shown = this.origin.shown(source, at);
    this.note(`source ${source} lists ${shown[0]?.msn} to ${shown.at(-1)?.msn}`);
    this.looked.add(this.lives);
    for (const { content } of shown)
      this.shown.push({ content, source, at: this.clock.now, asOf: at, life: this.lives });
  }

  #clockOf(isOver: () => boolean): Clock {
    return {
      now: () => WALL_CLOCK_AT + this.clock.now + this.#steppedMs(),
      elapsed: () => this.clock.now,
      setTimeout: (callback, delayMs) =>
        this.clock.setTimeout(() => {
          if (!isOver()) callback();
        }, delayMs),
      clearTimeout: (timer) => this.clock.clearTimeout(timer),
    };
  }

  #steppedMs(): number {
    const { now } = this.clock;
    return this.script.clockSteps
      .filter(({ atMs }) => atMs <= now)
      .reduce((sum, { byMs }) => sum + byMs, 0);
  }

  #diskTrouble() {
    const { now } = this.clock;
    return this.script.disk.find(({ atMs, forMs }) => atMs <= now && now < atMs + forMs)?.kind;
  }

  /** Disk operations belong to the life that asked for them. */
  #later(run: () => void): void {
    const life = this.#life;
    const slowMs = this.#diskTrouble() === 'slow' ? 1_500 : 0;
    this.clock.setTimeout(
      () => {
        if (this.#life === life) run();
      },
      slowMs + this.#latencyMs() / 100,
    );
  }

  #latencyMs(): number {
    const { latencies } = this.script;
    return latencies[this.#requests++ % latencies.length] ?? 50;
  }
}
