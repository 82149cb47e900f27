import { existsSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import type { KennelError } from '../../../src/core/errors.ts';
import { openJournal, readJournal } from '../../../src/ledger/journal.ts';
import { JOURNAL_FILE, openJournalFile } from '../../../src/ledger/journalFile.ts';
import type { SegmentLost } from '../../../src/ledger/record.ts';
import { JournalWriter } from '../../../src/recording/journalWriter.ts';

const gap = (msn: number): SegmentLost => ({
  ...{ t: 'gap', track: 'main', epoch: 0, msn, count: 1, at: 1 },
  ...{ cause: 'disk', detail: '', durationMs: 2_000 },
});

/** A clock whose pauses end when the test says so. */
class HeldClock implements Clock {
  readonly #pauses = new Set<() => void>();
  readonly now = systemClock.now;
  readonly elapsed = systemClock.elapsed;

  setTimeout(callback: () => void): unknown {
    this.#pauses.add(callback);
    return callback;
  }

  clearTimeout(timer: unknown): void {
    for (const callback of this.#pauses) if (callback === timer) this.#pauses.delete(callback);
  }

  /** Waits until somebody pauses, then lets all of them go on. */
  async turn(): Promise<void> {
    while (this.#pauses.size === 0) await new Promise((resolve) => setImmediate(resolve));
    for (const callback of [...this.#pauses]) callback();
  }
}

async function setup() {
  const directory = await mkdtemp(path.join(tmpdir(), 'kennel-writer-'));
  const clock = new HeldClock();
  const disk = { failing: undefined as string | undefined, appends: 0 };
  const journal = await openJournal(directory, {
    clock,
    openFile: async (where, mode) => {
      const file = await openJournalFile(where, mode);
      const append = async (bytes: Uint8Array) => {
        disk.appends++;
        if (disk.failing === undefined) return await file.append(bytes);
        // As a full disk does: a part of the line still finds room.
        await file.append(bytes.subarray(0, 20));
        throw Object.assign(new Error(disk.failing), { code: disk.failing });
      };
      return { ...file, append };
    },
  });
  const troubles: string[] = [];
  const broken: unknown[] = [];
  const writer = new JournalWriter({
    ...{ journal, clock },
    troubled: ({ code }: KennelError) => troubles.push(code),
    healed: () => troubles.push('healed'),
    broken: (error) => broken.push(error),
  });
  onTestFinished(async () => {
    await writer.abandon();
    await journal.close();
    await rm(directory, { recursive: true, force: true });
  });
  const written = async () =>
    (await readJournal(directory)).records.map((line) => ('msn' in line ? line.msn : line.t));
  return { directory, clock, disk, writer, troubles, broken, written };
}

it('tries a failing disk again until it works: no line is lost, doubled or out of order', async () => {
  const { clock, disk, writer, written, troubles, broken } = await setup();
  expect(await writer.write(gap(1))).toBe(true);
  disk.failing = 'ENOSPC';
  const settled: number[] = [];
  const lines = [2, 3].map(async (msn) => {
    if (await writer.write(gap(msn))) settled.push(msn);
  });
  await clock.turn();
  lines.push(writer.write(gap(4)).then(() => void settled.push(4)));
  await clock.turn();
  expect([settled, await written()]).toEqual([[], [1]]);
  disk.failing = undefined;
  await clock.turn();
  await Promise.all(lines);
  expect(settled).toEqual([2, 3, 4]);
  expect(await written()).toEqual([1, 2, 3, 4]);
  expect(broken).toEqual([]);
  // However many tries it took, it is told once that there is trouble, and once that it is over.
  expect(troubles).toEqual(['disk.full', 'healed']);
  expect(disk.appends).toBe(5);
});

it('says that not all is durable when time is over, and lets go of the rest when abandoned', async () => {
  const { clock, disk, writer, written } = await setup();
  disk.failing = 'EIO';
  const line = writer.write(gap(1));
  const flushed = writer.flush(3_000);
  await clock.turn();
  expect(await flushed).toBe(false);
  await writer.abandon();
  expect(await line).toBe(false);
  expect(await writer.write(gap(2))).toBe(false);
  expect(await written()).toEqual([]);
});

it('makes the name of a new file durable first, and waits while its directory cannot be synced', async () => {
  const { directory, clock, writer, written } = await setup();
  const missing = path.join(directory, 'media');
  const line = writer.write(gap(1), missing);
  await clock.turn();
  expect(await written()).toEqual([]);
  await mkdir(missing);
  await clock.turn();
  expect(await line).toBe(true);
  expect([existsSync(missing), await written()]).toEqual([true, [1]]);
});

it('gives up at once when another process writes to the journal: no time would change that', async () => {
  const { directory, writer, broken, troubles } = await setup();
  await writer.write(gap(1));
  await appendFile(path.join(directory, JOURNAL_FILE), 'from somebody else\n');
  void writer.write(gap(2));
  while (broken.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(broken).toMatchObject([{ code: 'data.locked' }]);
  expect(await writer.flush(3_000)).toBe(false);
  expect(troubles).toEqual([]);
});
