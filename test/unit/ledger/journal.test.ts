import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { openJournal, readJournal } from '../../../src/ledger/journal.ts';
import { type JournalFile, openJournalFile } from '../../../src/ledger/journalFile.ts';
import { decodeLine, encodeLine } from '../../../src/ledger/journalLine.ts';
import type { LedgerRecord, SegmentStored } from '../../../src/ledger/record.ts';

const clock = systemClock;
const opening: LedgerRecord = { t: 'recording', v: 1, jobId: 'job', at: 1 };
const segment = (msn: number): SegmentStored => ({
  t: 'segment',
  track: 'main',
  epoch: 0,
  msn,
  at: 1,
  durationMs: 2000,
  bytes: 188,
  checksum: 'a'.repeat(64),
  file: `main/${msn}.ts`,
  container: 'ts',
  discontinuity: 0,
});

async function setup(records: readonly LedgerRecord[] = []) {
  const directory = await mkdtemp(join(tmpdir(), 'kennel-journal-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'journal.ndjson');
  if (records.length > 0) await writeFile(path, records.map(encodeLine).join(''));
  return { directory, path };
}

/** A journal on the real disk whose file operations can be made to fail, and are counted. */
async function withFaults(records: readonly LedgerRecord[] = []) {
  const { directory, path } = await setup(records);
  const calls = { append: 0, sync: 0 };
  const faults: { append?: string; sync?: string; truncate?: string } = {};
  const failing = (code: string) => Object.assign(new Error(`injected ${code}`), { code });
  const journal = await openJournal(directory, {
    clock,
    openFile: async (...where) => {
      const file = await openJournalFile(...where);
      const faulty: JournalFile = {
        ...file,
        append: async (bytes) => {
          calls.append++;
          if (faults.append === undefined) return await file.append(bytes);
          // A full disk takes what still fits.
          await file.append(bytes.subarray(0, Math.floor(bytes.length / 2)));
          throw failing(faults.append);
        },
        sync: async () => {
          calls.sync++;
          if (faults.sync !== undefined) throw failing(faults.sync);
          await file.sync();
        },
        truncate: async (bytes) => {
          if (faults.truncate !== undefined) throw failing(faults.truncate);
          await file.truncate(bytes);
        },
      };
      return faulty;
    },
  });
  onTestFinished(() => journal.close());
  return { directory, path, journal, faults, calls };
}

describe('writing', () => {
  test('what was appended is read back, by another opening and by a reader', async () => {
    const { directory } = await setup();
    const nested = join(directory, 'recordings', 'job');
    const first = await openJournal(nested, { clock });
    await first.append([opening, segment(1)]);
    await first.append([segment(2)]);
    await first.close();
    const second = await openJournal(nested, { clock });
    expect(second.ledger).toMatchObject({ jobId: 'job', stored: 2 });
    expect(second.bytes).toBe(first.bytes);
    await second.close();
    expect(await readJournal(nested)).toEqual({
      records: [opening, segment(1), segment(2)],
      offset: second.bytes,
      torn: false,
    });
  });

  test('the ledger shows a line once it is durable, not before', async () => {
    const { journal } = await withFaults();
    const appended = journal.append([segment(1)]);
    expect(journal.ledger.stored).toBe(0);
    await appended;
    expect(journal.ledger.stored).toBe(1);
  });

  test('appends made together share one write and one sync, in the order of the calls', async () => {
    const { directory, journal, calls } = await withFaults();
    await Promise.all([...Array(100).keys()].map((msn) => journal.append([segment(msn)])));
    expect(calls).toEqual({ append: 1, sync: 1 });
    const { records } = await readJournal(directory);
    expect(records).toEqual([...Array(100).keys()].map(segment));
  });

  test('appends made while a write is under way share the next one', async () => {
    const { journal, calls } = await withFaults();
    const first = journal.append([segment(0)]);
    await Promise.resolve();
    await Promise.resolve();
    const rest = [...Array(50).keys()].map((msn) => journal.append([segment(msn + 1)]));
    await Promise.all([first, ...rest]);
    expect(calls).toEqual({ append: 2, sync: 2 });
  });

  test('closing waits for what was appended, and nothing can be appended afterwards', async () => {
    const { directory, journal } = await withFaults();
    const appended = journal.append([segment(1)]);
    await journal.close();
    await appended;
    expect((await readJournal(directory)).records).toHaveLength(1);
    await expect(journal.append([segment(2)])).rejects.toThrow('closed');
  });

  test('a record that could not be read back is refused before it is written', async () => {
    const { directory, journal } = await withFaults();
    await expect(journal.append([{ ...segment(1), bytes: Number.NaN }])).rejects.toThrow();
    await expect(journal.append([{ ...segment(1), file: '../outside.ts' }])).rejects.toThrow();
    await journal.append([segment(2)]);
    expect((await readJournal(directory)).records).toEqual([segment(2)]);
  });
});

describe('a failing disk', () => {
  test('a full disk rejects the append, leaves no torn line, and later appends work again', async () => {
    const { directory, path, journal, faults } = await withFaults();
    await journal.append([opening]);
    faults.append = 'ENOSPC';
    await expect(journal.append([segment(1)])).rejects.toMatchObject({
      code: 'disk.full',
      retryable: true,
    });
    expect((await stat(path)).size).toBe(journal.bytes);
    delete faults.append;
    await journal.append([segment(2)]);
    expect(await readJournal(directory)).toMatchObject({
      records: [opening, segment(2)],
      torn: false,
    });
    expect(journal.ledger).toMatchObject({ stored: 1 });
  });

  test('a failed sync rejects the append and takes its lines back', async () => {
    const { directory, journal, faults } = await withFaults();
    await journal.append([opening]);
    faults.sync = 'EIO';
    await expect(journal.append([segment(1)])).rejects.toMatchObject({ code: 'disk.failed' });
    delete faults.sync;
    await journal.append([segment(2)]);
    expect((await readJournal(directory)).records).toEqual([opening, segment(2)]);
  });

  test('what waits behind a failed write fails with it, since it may lean on it', async () => {
    const { directory, journal, faults } = await withFaults();
    faults.append = 'ENOSPC';
    const first = journal.append([{ t: 'epoch', epoch: 0, track: 'main', at: 1, why: 'first' }]);
    await Promise.resolve();
    await Promise.resolve();
    const second = journal.append([segment(1)]);
    const results = await Promise.allSettled([first, second]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await readJournal(directory)).records).toEqual([]);
  });

  test('while the torn rest cannot be cut off nothing is written behind it', async () => {
    const { directory, journal, faults } = await withFaults();
    await journal.append([opening]);
    Object.assign(faults, { append: 'ENOSPC', truncate: 'EIO' });
    await expect(journal.append([segment(1)])).rejects.toMatchObject({ code: 'disk.full' });
    delete faults.append;
    await expect(journal.append([segment(2)])).rejects.toMatchObject({ code: 'disk.failed' });
    delete faults.truncate;
    await journal.append([segment(3)]);
    expect(await readJournal(directory)).toMatchObject({
      records: [opening, segment(3)],
      torn: false,
    });
  });

  test('a journal that somebody else wrote to is not written to any more', async () => {
    const { path, journal } = await withFaults();
    await journal.append([opening]);
    await appendFile(path, encodeLine(segment(1)));
    await expect(journal.append([segment(2)])).rejects.toMatchObject({ code: 'data.locked' });
    expect(await readFile(path, 'utf8')).toBe(encodeLine(opening) + encodeLine(segment(1)));
  });

  test('a directory that cannot be made is an error of the disk', async () => {
    const { path } = await setup([opening]);
    await expect(openJournal(join(path, 'below'), { clock })).rejects.toMatchObject({
      code: 'disk.failed',
    });
  });
});

describe('what a crash leaves', () => {
  test('a last line torn at any byte is cut off, and the journal goes on behind the line before it', async () => {
    const { directory, path } = await setup([opening, segment(1), segment(2)]);
    const whole = await readFile(path);
    const kept = encodeLine(opening).length + encodeLine(segment(1)).length;
    for (let length = kept; length < whole.length; length++) {
      await writeFile(path, whole.subarray(0, length));
      expect(await readJournal(directory)).toMatchObject({ offset: kept, torn: length > kept });
      const journal = await openJournal(directory, { clock });
      expect(journal).toMatchObject({ bytes: kept, tornBytes: length - kept });
      expect(journal.ledger.stored).toBe(1);
      if (length % 50 === 0) await journal.append([segment(3)]);
      await journal.close();
      expect((await readJournal(directory)).torn).toBe(false);
    }
  });

  test('zeros where the last line should be are cut off', async () => {
    const { directory, path } = await setup([opening, segment(1)]);
    await appendFile(path, Buffer.alloc(5000));
    const journal = await openJournal(directory, { clock });
    expect(journal).toMatchObject({ tornBytes: 5000 });
    await journal.close();
  });

  test('a damaged line in the middle is named with its place and nothing is changed', async () => {
    const { directory, path } = await setup([opening, segment(1), segment(2)]);
    const bytes = await readFile(path);
    const offset = encodeLine(opening).length;
    bytes.writeUInt8(bytes.readUInt8(offset + 40) ^ 1, offset + 40);
    await writeFile(path, bytes);
    const corrupt = { code: 'journal.corrupt', details: { line: 2, offset } };
    await expect(openJournal(directory, { clock })).rejects.toMatchObject(corrupt);
    await expect(readJournal(directory)).rejects.toMatchObject(corrupt);
    expect(await readFile(path)).toEqual(bytes);
  });

  test('more unreadable bytes at the end than one write can tear are not cut off', async () => {
    const { directory, path } = await setup([opening]);
    await appendFile(path, Buffer.alloc(2 * 1024 * 1024));
    await expect(openJournal(directory, { clock })).rejects.toMatchObject({
      code: 'journal.corrupt',
    });
  });

  test('a line of an unknown kind, written whole, is refused rather than skipped', async () => {
    const { directory, path } = await setup([opening]);
    // CRC-32 of the JSON, computed elsewhere: `python3 -c 'import zlib; print(hex(zlib.crc32(b"...")))'`.
    await appendFile(path, '62f410a9 {"t":"later","at":1}\n');
    const refused = expect(readJournal(directory)).rejects;
    await refused.toMatchObject({ code: 'journal.corrupt', details: { line: 2 } });
  });
});

describe('following', () => {
  test('a reader goes on from the offset it was given', async () => {
    const { directory, journal } = await withFaults();
    await journal.append([opening]);
    const { offset } = await readJournal(directory);
    expect(await readJournal(directory, offset)).toEqual({ records: [], offset, torn: false });
    await journal.append([segment(1)]);
    expect((await readJournal(directory, offset)).records).toEqual([segment(1)]);
  });

  test('a journal shorter than the offset is refused: lines that were read have been taken back', async () => {
    const { directory, path } = await setup([opening, segment(1)]);
    const { offset } = await readJournal(directory);
    await truncate(path, encodeLine(opening).length);
    await expect(readJournal(directory, offset)).rejects.toMatchObject({ code: 'journal.corrupt' });
  });

  test('a journal that is not there has no records', async () => {
    const { directory } = await setup();
    expect(await readJournal(directory)).toEqual({ records: [], offset: 0, torn: false });
  });
});

/** What is special to JSON, to lines and to UTF-8, a lone surrogate included. */
const nasty = fc.constantFrom(
  'a',
  '"',
  '\\',
  '\n',
  '\r',
  '\0',
  '\u2028',
  'é',
  '\u{1f436}',
  '\ud800',
);

test('any text and any numbers survive the way through a line', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: nasty }),
      fc.json({ maxDepth: 1 }),
      fc.nat(),
      (detail, json, msn) => {
        const ended: LedgerRecord = {
          t: 'ended',
          at: 1,
          why: 'stopped',
          evidence: { json, detail },
        };
        const gap: LedgerRecord = {
          t: 'gap',
          track: 'main',
          epoch: 0,
          msn,
          at: 1,
          count: 1,
          cause: 'http.503',
          detail,
          durationMs: 1.5,
        };
        for (const record of [ended, gap]) {
          const line = encodeLine(record);
          expect(line.indexOf('\n')).toBe(line.length - 1);
          expect(decodeLine(Buffer.from(line.slice(0, -1)))).toEqual({ kind: 'record', record });
        }
      },
    ),
    { numRuns: 30 },
  );
});
