import { globSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { KennelError } from '../../src/core/errors.ts';
import { chosenRecording } from '../../src/hosts/host/chosenRecording.ts';
import { openJournal, readJournal } from '../../src/ledger/journal.ts';
import { programRecording } from '../../src/programs/programRecording.ts';
import type { MakeRecording } from '../../src/recording/recorder.ts';
import { recorderOf } from '../../src/recording/recorderSession.ts';
import { fakeParts, LINK, lifeSpec, PIECE_MS } from './programLifeSetup.ts';

/** The pieces that the fake puts out in one window. */
const PIECES = 5;

const nobody: MakeRecording = () => {
  throw new Error('nobody is to be chosen');
};

async function place() {
  const directory = await mkdtemp(path.join(tmpdir(), 'kennel-stored-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  let attempt = 0;
  const record = (behaviours: readonly string[], kind: 'file' | 'dash' = 'dash') => {
    const parts = fakeParts({ behaviours, resolve: async () => ({ ...LINK, kind }) });
    return start(programRecording(parts));
  };
  const start = (makeRecording: MakeRecording, link = LINK.url.href) =>
    recorderOf(
      makeRecording,
      () => 'fake',
    )({
      job: {
        id: `stored-${process.pid}`,
        attempt: ++attempt,
        spec: { ...lifeSpec(directory), url: link },
      },
      directory,
      clock: systemClock,
      random: () => 0.5,
      onStarted: () => undefined,
      log: () => undefined,
    });
  return { directory, record, start };
}

it('keeps all that a program put out before it fell, and adds nothing twice when the next one repeats it', async () => {
  const { directory, record } = await place();
  expect(await record(['bug']).exited).toMatchObject({ kind: 'crashed', why: 'exit.9' });
  const before = await readJournal(directory);
  const stored = before.records.filter(({ t }) => t === 'segment');
  expect(stored.length).toBeGreaterThan(0);

  expect(await record(['window'], 'file').exited).toMatchObject({ why: 'source.ended' });
  const journal = await openJournal(directory, { clock: systemClock });
  await journal.close();
  const { durationMs, lost } = journal.ledger;
  expect(lost).toBe(0);
  expect(Math.abs(durationMs - PIECES * PIECE_MS)).toBeLessThan(500);
  expect(globSync('work/**', { cwd: directory })).toEqual([]);
});

it('refuses what is no media, and leaves no file of it', async () => {
  const { directory, record } = await place();
  const exit = await record(['html']).exited;
  expect(exit).toMatchObject({ kind: 'crashed', why: 'segment.invalid' });
  expect(globSync('**/*.*', { cwd: directory })).toEqual(['journal.ndjson']);
});

it.each([
  { when: 'at once', behaviours: ['silent'], hasStarted: false },
  { when: 'while a program starts', behaviours: ['silent'], hasStarted: true },
])(
  'names the time since the last media where a new attempt that has none yet is stopped $when',
  async ({ behaviours, hasStarted }) => {
    const { directory, record } = await place();
    expect(await record(['bug']).exited).toMatchObject({ kind: 'crashed' });
    const recorder = record(behaviours);
    if (hasStarted) {
      await vi.waitFor(() => {
        expect(recorder.progress().program).toMatchObject({ run: behaviours.length });
      }, 5_000);
    }
    recorder.stop('over');
    expect(await recorder.exited).toMatchObject({ kind: 'stopped', why: 'duration' });
    const { records } = await readJournal(directory);
    expect(records.filter(({ t }) => t === 'gap')).toMatchObject([
      { cause: 'recorder.down', estimated: true },
    ]);
  },
);

it.each([
  {
    what: 'is still looked at',
    isAway: false,
    gaps: [{ cause: 'recorder.down', estimated: true }],
  },
  { what: 'is not there', isAway: true, gaps: [] },
])(
  'names the time since the last media where it is stopped while its page $what',
  async ({ isAway, gaps }) => {
    const { directory, record, start } = await place();
    expect(await record(['bug']).exited).toMatchObject({ kind: 'crashed' });
    const asked = Promise.withResolvers<void>();
    const recorder = start(
      chosenRecording(() => ({
        native: () => nobody,
        program: async () => nobody,
        readsPages: async () => false,
        resolve: async (_link, signal) => {
          asked.resolve();
          if (isAway)
            throw new KennelError('source.unavailable', 'it is away', { retryable: true });
          return await new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason), { once: true });
          });
        },
      })),
      'https://host/show',
    );
    await asked.promise;
    await setImmediate();
    recorder.stop('over');
    expect(await recorder.exited).toMatchObject({ kind: 'stopped', why: 'duration' });
    const { records } = await readJournal(directory);
    expect(records.filter(({ t }) => t === 'gap')).toMatchObject(gaps);
  },
);
