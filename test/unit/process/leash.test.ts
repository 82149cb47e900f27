import { beforeEach, describe, expect, it } from 'vitest';
import type { Job, Leash, RecorderExit, RecorderNews } from '../../../machines/ports.ts';
import { leash } from '../../../src/process/leash.ts';
import {
  type LiveRecorder,
  NO_PROGRESS,
  type RecorderDriver,
  type RecorderJob,
  type RecorderListener,
} from '../../../src/process/recorderDriver.ts';
import { NEWBORN } from '../../machines/programSigns.ts';

/** A driver whose recorders do exactly what the test says. */
class ScriptedDriver implements RecorderDriver {
  readonly calls: string[] = [];
  readonly recorders = new Map<string, LiveRecorder>();
  #listener: RecorderListener | undefined;

  subscribe(listener: RecorderListener): void {
    this.#listener = listener;
  }
  start(job: RecorderJob, directory: string): void {
    if (this.recorders.has(job.id)) throw new Error('two recorders for one job');
    this.calls.push(`start ${job.id} ${job.attempt} ${directory}`);
    this.alive(job.id, job.attempt);
  }
  living(jobId: string): LiveRecorder | undefined {
    return this.recorders.get(jobId);
  }
  stop(jobId: string, why: string): void {
    this.calls.push(`stop ${jobId} ${why}`);
  }
  kill(jobId: string, why: string): void {
    const recorder = this.recorders.get(jobId);
    if (recorder === undefined) return;
    this.calls.push(`kill ${jobId} ${why}`);
    this.recorders.set(jobId, { ...recorder, killed: true });
  }
  acknowledge(jobId: string, attempt: number): void {
    this.calls.push(`acknowledge ${jobId} ${attempt}`);
  }
  async clear(jobId: string): Promise<void> {
    this.calls.push(`clear ${jobId}`);
  }

  alive(jobId: string, attempt: number, more: Partial<LiveRecorder> = {}): void {
    const recorder = { jobId, attempt, progress: NO_PROGRESS, killed: false, ...more };
    this.recorders.set(jobId, recorder);
  }
  starts(jobId: string, at: number): void {
    const recorder = this.recorders.get(jobId);
    if (recorder === undefined) throw new Error('nothing to start');
    this.recorders.set(jobId, { ...recorder, startedAt: at });
    this.#listener?.started({ ...recorder, startedAt: at });
  }
  exits(jobId: string, exit: RecorderExit): void {
    const recorder = this.recorders.get(jobId);
    if (recorder === undefined) throw new Error('nothing to exit');
    this.recorders.delete(jobId);
    this.#listener?.exited(recorder, exit);
  }
  /** An exit that a host has kept since an earlier life. */
  exitedBefore(jobId: string, attempt: number, exit: RecorderExit): void {
    this.#listener?.exited({ jobId, attempt, progress: NO_PROGRESS, killed: false }, exit);
  }
}

const ENDED: RecorderExit = { kind: 'ended', why: 'endlist', retryable: false, evidence: {} };
const PROGRAM = { ...NEWBORN, agedMs: 1 };
const CRASHED: RecorderExit = { kind: 'crashed', why: 'silent', retryable: true, evidence: {} };

const job = (attempt = 1): Job => ({
  id: 'a',
  state: 'recording',
  attempt,
  spec: {
    url: 'https://origin.test/live.m3u8',
    quality: [],
    waitMs: 0,
    patienceMs: 0,
    output: '/tmp/',
    keepSegments: false,
  },
});

interface Bundle {
  readonly driver: ScriptedDriver;
  readonly table: Leash;
  take(attempt?: number): { news: RecorderNews[]; hold: ReturnType<Leash['take']> };
  /** Microtasks are done when this resolves. */
  settle(): Promise<void>;
}

function setup(): Bundle {
  const driver = new ScriptedDriver();
  const table = leash({
    driver,
    log: () => undefined,
    directoryOf: (jobId) => `/rec/${jobId}`,
  });
  return {
    driver,
    table,
    take: (attempt) => {
      const news: RecorderNews[] = [];
      return { news, hold: table.take(job(attempt), (heard) => news.push(heard)) };
    },
    settle: async () => await new Promise((resolve) => setImmediate(resolve)),
  };
}

describe('leash', () => {
  let it_: Bundle;
  beforeEach(() => {
    it_ = setup();
  });

  it('starts a recorder in the directory of the job, and passes on its news', () => {
    const { driver, table, take } = it_;
    const { news } = take();
    expect(driver.calls).toEqual(['start a 1 /rec/a']);
    expect(table.holds('a')).toBe(true);
    driver.starts('a', 5);
    driver.exits('a', ENDED);
    expect(news).toEqual([
      { type: 'recorder.started', at: 5 },
      { type: 'recorder.exited', exit: ENDED },
    ]);
    expect(driver.calls.at(-1)).toBe('acknowledge a 1');
    expect(table.holds('a')).toBe(false);
  });

  it('adopts a living recorder of any attempt, and tells the new holder when it began', async () => {
    const { driver, take, settle } = it_;
    driver.alive('a', 7, { startedAt: 5 });
    const { news } = take(1);
    expect(news).toEqual([]);
    await settle();
    expect(driver.calls).toEqual([]);
    expect(news).toEqual([{ type: 'recorder.started', at: 5 }]);
    driver.exits('a', CRASHED);
    expect(news.at(-1)).toEqual({ type: 'recorder.exited', exit: CRASHED });
  });

  it('starts one recorder when the job is taken twice, and tells the newest holder only', () => {
    const { driver, take } = it_;
    const first = take();
    const second = take();
    expect(driver.calls).toEqual(['start a 1 /rec/a']);
    driver.starts('a', 5);
    driver.exits('a', ENDED);
    expect(first.news).toEqual([]);
    expect(second.news).toHaveLength(2);
  });

  it('lets only the newest hold stop or kill', () => {
    const { driver, take } = it_;
    const first = take();
    const second = take();
    first.hold.stop('old');
    first.hold.kill('old');
    first.hold.release();
    second.hold.stop('new');
    second.hold.kill('new');
    expect(driver.calls.slice(1)).toEqual(['stop a new', 'kill a new']);
  });

  it('leaves the recorder alone when the hold is released', () => {
    const { driver, table, take } = it_;
    take().hold.release();
    expect(driver.calls).toEqual(['start a 1 /rec/a']);
    expect(table.holds('a')).toBe(true);
  });

  it('keeps an exit that nobody heard for the next holder of that attempt', async () => {
    const { driver, take, settle } = it_;
    take().hold.release();
    driver.exits('a', ENDED);
    expect(driver.calls).not.toContain('acknowledge a 1');
    const { news } = take(1);
    expect(news).toEqual([]);
    await settle();
    expect(news).toEqual([{ type: 'recorder.exited', exit: ENDED }]);
    expect(driver.calls.slice(1)).toEqual(['acknowledge a 1']);
  });

  it('tells an exit of a later attempt than the row knows, since restarts are written behind', async () => {
    const { driver, take, settle } = it_;
    driver.exitedBefore('a', 3, ENDED);
    const { news } = take(2);
    await settle();
    expect(news).toEqual([{ type: 'recorder.exited', exit: ENDED }]);
  });

  it('drops the unheard exit of an earlier attempt and starts the new one', async () => {
    const { driver, take, settle } = it_;
    driver.exitedBefore('a', 1, ENDED);
    const { news } = take(2);
    await settle();
    expect(news).toEqual([]);
    expect(driver.calls).toEqual(['acknowledge a 1', 'start a 2 /rec/a']);
  });

  it('tells an unheard exit once, to the newest of two holders', async () => {
    const { driver, take, settle } = it_;
    driver.exitedBefore('a', 1, ENDED);
    const first = take(1);
    const second = take(1);
    await settle();
    expect(first.news).toEqual([]);
    expect(second.news).toEqual([{ type: 'recorder.exited', exit: ENDED }]);
  });

  it('starts no second recorder while a killed one is not gone, and then starts one for who came', () => {
    const { driver, take } = it_;
    const first = take(1);
    first.hold.kill('silent');
    const second = take(2);
    expect(driver.calls).toEqual(['start a 1 /rec/a', 'kill a silent']);
    driver.exits('a', CRASHED);
    expect(driver.calls.slice(2)).toEqual(['acknowledge a 1', 'start a 2 /rec/a']);
    expect(first.news).toEqual([]);
    expect(second.news).toEqual([]);
  });

  it('gives who kills before the old one is gone the exit of the old one, and nothing new', () => {
    const { driver, take } = it_;
    take(1).hold.kill('silent');
    const second = take(2);
    second.hold.kill('killed');
    driver.exits('a', CRASHED);
    expect(second.news).toEqual([{ type: 'recorder.exited', exit: CRASHED }]);
    expect(driver.recorders.size).toBe(0);
  });

  it('tells nobody later of the exit of a recorder that was killed', async () => {
    const { driver, take, settle } = it_;
    const first = take(1);
    first.hold.kill('silent');
    first.hold.release();
    driver.exits('a', CRASHED);
    const second = take(1);
    await settle();
    expect(second.news).toEqual([]);
    expect(driver.calls.at(-1)).toBe('start a 1 /rec/a');
  });

  it('allows a holder to take the job again while it hears the exit', () => {
    const { driver, table } = it_;
    table.take(job(1), ({ type }) => {
      if (type === 'recorder.exited') table.take(job(2), () => undefined);
    });
    driver.exits('a', CRASHED);
    expect(driver.calls.at(-1)).toBe('start a 2 /rec/a');
  });

  it('resolves end when nothing is left, and tells the holder', async () => {
    const { driver, table, take, settle } = it_;
    const { news } = take();
    let isOver = false;
    const over = table.end('a', 'cancelled').then(() => {
      isOver = true;
    });
    await settle();
    expect(driver.calls.at(-1)).toBe('kill a cancelled');
    expect(isOver).toBe(false);
    driver.exits('a', CRASHED);
    await over;
    expect(news).toEqual([{ type: 'recorder.exited', exit: CRASHED }]);
    expect(driver.calls.at(-1)).toBe('clear a');
  });

  it('resolves end at once when there is nothing, after strangers were cleared', async () => {
    const { driver, table } = it_;
    await table.end('a', 'cancelled');
    expect(driver.calls).toEqual(['clear a']);
  });

  it('does not start what waited for a killed recorder when the job is ended', async () => {
    const { driver, table, take } = it_;
    take(1).hold.kill('silent');
    take(2);
    const over = table.end('a', 'cancelled');
    driver.exits('a', CRASHED);
    await over;
    expect(driver.recorders.size).toBe(0);
  });

  it('keeps the last numbers after the exit, and begins a new recorder at zero', () => {
    const { driver, table, take } = it_;
    take(1);
    const progress = { beats: 9, bytes: 8, advertised: 7, settled: 6 };
    driver.alive('a', 1, { progress });
    expect(table.progress('a')).toEqual(progress);
    driver.exits('a', CRASHED);
    expect(table.progress('a')).toEqual(progress);
    take(2);
    expect(table.progress('a')).toEqual(NO_PROGRESS);
    expect(table.progress('nobody')).toEqual(NO_PROGRESS);
  });

  it('tells of a stray file what the living recorder has seen, and nothing of one that is gone', () => {
    const { driver, table, take } = it_;
    take(1);
    expect(table.strayFiles('a')).toBeUndefined();
    const stray = { sign: 'temp', file: 'show.temp.mp4' };
    const program = { ...PROGRAM, stray };
    driver.alive('a', 1, { progress: { ...NO_PROGRESS, program } });
    expect(table.strayFiles('a')).toEqual(stray);
    driver.exits('a', CRASHED);
    expect(table.strayFiles('a')).toBeUndefined();
    expect(table.progress('a').program).toEqual(program);
  });

  it('tells a holder once that the recording began', async () => {
    const { driver, take, settle } = it_;
    driver.alive('a', 1);
    const { news } = take(1);
    driver.starts('a', 5);
    await settle();
    expect(news).toEqual([{ type: 'recorder.started', at: 5 }]);
  });
});
