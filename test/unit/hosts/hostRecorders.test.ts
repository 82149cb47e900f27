import { describe, expect, it } from 'vitest';
import type { RecorderExit } from '../../../machines/ports.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { HostRecorders } from '../../../src/hosts/host/hostRecorders.ts';
import { EXITS_KEPT_MAX, type KeptExit } from '../../../src/hosts/host/protocol.ts';
import type { RecorderOptions } from '../../../src/recording/recorder.ts';
import { jobOf } from '../../fixtures/hostBench.ts';

const ENDED: RecorderExit = { kind: 'ended', why: 'endlist', retryable: false, evidence: {} };

interface Fake {
  readonly options: RecorderOptions;
  readonly calls: string[];
  end(exit: RecorderExit): void;
}

function setup({ isBroken = false } = {}) {
  const fakes: Fake[] = [];
  const heard: KeptExit[] = [];
  const started: unknown[] = [];
  const recorders = new HostRecorders({
    startRecorder: (options) => {
      if (isBroken) throw new Error('cannot begin');
      const { promise, resolve } = Promise.withResolvers<RecorderExit>();
      const calls: string[] = [];
      fakes.push({ options, calls, end: resolve });
      return {
        exited: promise,
        stop: (why) => calls.push(`stop ${why}`),
        kill: (why) => calls.push(`kill ${why}`),
        progress: () => ({ beats: 1, bytes: 2, advertised: 3, settled: 4 }),
      };
    },
    clock: systemClock,
    random: () => 0,
    log: () => undefined,
    onStarted: (who, at) => started.push({ ...who, at }),
    onExited: (kept) => heard.push(kept),
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { recorders, fakes, heard, started, settle };
}

describe('HostRecorders', () => {
  it('tells what runs, since when, and how it goes', () => {
    const { recorders, fakes, started } = setup();
    recorders.start(jobOf('a'), '/rec/a');
    fakes[0]?.options.onStarted(9);
    expect(started).toEqual([{ jobId: 'a', attempt: 1, at: 9 }]);
    const progress = { beats: 1, bytes: 2, advertised: 3, settled: 4 };
    const running = { jobId: 'a', attempt: 1, startedAt: 9, progress, killed: false };
    expect(recorders.running()).toEqual([running]);
  });

  it('does not start again what it is told twice, and refuses another attempt beside a running one', () => {
    const { recorders, fakes, heard } = setup();
    recorders.start(jobOf('a'), '/rec/a');
    recorders.start(jobOf('a'), '/rec/a');
    recorders.start(jobOf('a', 'tick', 2), '/rec/a');
    expect(fakes).toHaveLength(1);
    expect(heard).toMatchObject([{ jobId: 'a', attempt: 2, exit: { why: 'recorder.duplicate' } }]);
  });

  it('keeps an exit until exactly that one is acknowledged', async () => {
    const { recorders, fakes, heard, settle } = setup();
    recorders.start(jobOf('a'), '/rec/a');
    fakes[0]?.end(ENDED);
    await settle();
    const kept = { jobId: 'a', attempt: 1, killed: false, exit: ENDED };
    expect(heard).toEqual([kept]);
    recorders.acknowledge('a', 2);
    recorders.acknowledge('b', 1);
    expect(recorders.exits).toEqual([kept]);
    recorders.acknowledge('a', 1);
    expect(recorders.exits).toEqual([]);
    expect(recorders.size).toBe(0);
  });

  it('keeps the newest exits when nobody acknowledges any', () => {
    const { recorders } = setup();
    for (let attempt = 0; attempt < EXITS_KEPT_MAX + 3; attempt += 1) {
      recorders.refuse(jobOf('a', 'tick', attempt), ENDED);
    }
    expect(recorders.exits).toHaveLength(EXITS_KEPT_MAX);
    expect(recorders.exits[0]?.attempt).toBe(3);
  });

  it('says that a recorder was killed by order, and not when the host lets go of all', async () => {
    const { recorders, fakes, heard, settle } = setup();
    recorders.start(jobOf('a'), '/rec/a');
    recorders.start(jobOf('b'), '/rec/b');
    recorders.kill('a', 'silent');
    recorders.letGoOfAll('orphaned');
    expect(fakes.map(({ calls }) => calls)).toEqual([
      ['kill silent', 'kill orphaned'],
      ['kill orphaned'],
    ]);
    for (const { end } of fakes) end(ENDED);
    await settle();
    expect(heard.map(({ jobId, killed }) => [jobId, killed])).toEqual([
      ['a', true],
      ['b', false],
    ]);
  });

  it('reports a recorder that cannot even begin as crashed', async () => {
    const { recorders, heard, settle } = setup({ isBroken: true });
    recorders.start(jobOf('a'), '/rec/a');
    await settle();
    const exit = { kind: 'crashed', why: 'recorder.crashed', evidence: { error: 'cannot begin' } };
    expect(heard).toMatchObject([{ jobId: 'a', exit }]);
    expect(recorders.size).toBe(0);
  });

  it('blames nobody for what was thrown outside every recorder', () => {
    const { recorders } = setup();
    recorders.start(jobOf('a'), '/rec/a');
    expect(recorders.crash(new Error('elsewhere'))).toBeUndefined();
  });
});
