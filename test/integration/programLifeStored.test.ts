import { globSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { openJournal, readJournal } from '../../src/ledger/journal.ts';
import { programRecording } from '../../src/programs/programRecording.ts';
import { recorderOf } from '../../src/recording/recorderSession.ts';
import { fakeParts, LINK, lifeSpec, PIECE_MS } from './programLifeSetup.ts';

/** The pieces that the fake puts out in one window. */
const PIECES = 5;

async function place() {
  const directory = await mkdtemp(path.join(tmpdir(), 'kennel-stored-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  let attempt = 0;
  const record = (behaviours: readonly string[], kind: 'file' | 'dash' = 'dash') => {
    const parts = fakeParts({ behaviours, resolve: async () => ({ ...LINK, kind }) });
    return recorderOf(
      programRecording(parts),
      () => 'fake',
    )({
      job: { id: `stored-${process.pid}`, attempt: ++attempt, spec: lifeSpec(directory) },
      directory,
      clock: systemClock,
      random: () => 0.5,
      onStarted: () => undefined,
      log: () => undefined,
    });
  };
  return { directory, record };
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
