import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { openJournal, readJournal } from '../../../src/ledger/journal.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';
import type { LedgerRecord, SegmentLost, SegmentStored } from '../../../src/ledger/record.ts';
import {
  type OutputRun,
  type ProgramOutput,
  programOutput,
} from '../../../src/programs/output/programOutput.ts';
import { JournalWriter } from '../../../src/recording/journalWriter.ts';
import { TAIL_SEGMENTS } from '../../../src/recording/recorderSession.ts';

const media = path.join(import.meta.dirname, '../../fixtures/media');

/** The first so many files of a set of MPEG-TS, or of fragmented MP4 with its section in front. */
export async function mediaOf(set: string, files: number, from = 0): Promise<Buffer> {
  const names = (await readdir(path.join(media, set))).filter((name) => /^\d/.test(name)).sort();
  const parts = names.slice(from, from + files);
  if (set.startsWith('fmp4')) parts.unshift('init.mp4');
  return Buffer.concat(
    await Promise.all(parts.map(async (name) => await readFile(path.join(media, set, name)))),
  );
}

/** Where the files of `mediaOf` begin and end. */
export async function fileEnds(set: string, files: number): Promise<number[]> {
  const ends = [0];
  for (let index = 0; index < files; index++) {
    ends.push((ends.at(-1) ?? 0) + (await mediaOf(set, 1, index)).length);
  }
  return ends;
}

/** A clock whose time passes when the test says so. */
export class SetClock implements Clock {
  ms = 1_000_000;
  readonly setTimeout = systemClock.setTimeout;
  readonly clearTimeout = systemClock.clearTimeout;

  now(): number {
    return this.ms;
  }

  elapsed(): number {
    return this.ms;
  }
}

export interface Recorded {
  readonly records: readonly LedgerRecord[];
  readonly segments: readonly SegmentStored[];
  readonly gaps: readonly SegmentLost[];
  /** All pieces, one after the other; the section of the first in front. */
  readonly bytes: Buffer;
  readonly pieces: readonly Buffer[];
}

/** One recording in a directory of its own, through as many lives of its host as are begun. */
export class OutputBench implements AsyncDisposable {
  readonly directory: string;
  readonly clock = new SetClock();
  attempts = 0;
  begun = 0;
  readonly logged: string[] = [];
  #close: (() => Promise<void>) | undefined;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(): Promise<OutputBench> {
    return new OutputBench(await mkdtemp(path.join(tmpdir(), 'kennel-output-')));
  }

  /** The host before is gone, as it is killed; another one begins. */
  async life(signal: AbortSignal = new AbortController().signal): Promise<ProgramOutput> {
    await this.#close?.();
    const { clock, directory } = this;
    const journal = await openJournal(directory, {
      clock,
      ledger: { segmentsKept: TAIL_SEGMENTS },
    });
    const writer = new JournalWriter({
      ...{ journal, clock, troubled: () => undefined, healed: () => undefined },
      broken: (error) => this.logged.push(String(error)),
    });
    if (journal.ledger.jobId === undefined) {
      await writer.write({
        t: 'recording',
        v: 1,
        checksums: 'blake3',
        jobId: 'job',
        at: clock.now(),
      });
    }
    this.attempts++;
    this.#close = async () => {
      await writer.abandon();
      await journal.close();
      this.#close = undefined;
    };
    return programOutput({
      ...{ directory, attempt: this.attempts, ledger: journal.ledger, writer, clock, signal },
      begun: async () => {
        this.begun++;
        await Promise.resolve();
      },
      log: (message) => this.logged.push(message),
    });
  }

  /** What is on the disk now. */
  async recorded(): Promise<Recorded> {
    const { records } = await readJournal(this.directory);
    const ledger = new Ledger();
    for (const record of records) {
      ledger.apply(record);
      if (ledger.advertised !== ledger.stored + ledger.lost)
        throw new Error('the ledger does not add up');
    }
    if (ledger.duplicates > 0 || ledger.unsettled('main').length > 0)
      throw new Error('numbers are missing or double');
    const segments = ledger.segments();
    const read = async (file: string) => await readFile(path.join(this.directory, file));
    const pieces = await Promise.all(segments.map(async ({ file }) => await read(file)));
    const [init] = ledger.inits;
    const head = init === undefined ? [] : [await read(init.file)];
    return {
      records,
      segments,
      gaps: ledger.gaps(),
      bytes: Buffer.concat([...head, ...pieces]),
      pieces,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close?.();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Writes bytes in pieces of these sizes, again and again. */
export async function put(
  run: OutputRun,
  bytes: Uint8Array,
  sizes: readonly number[] = [65_536],
): Promise<void> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    // A copy that is spoilt afterwards: nobody may keep it.
    const part = Buffer.from(bytes.subarray(at, at + size));
    await run.write(part);
    part.fill(0xee);
    at += size;
  }
}

/** One whole run of a program. */
export async function runOf(
  output: ProgramOutput,
  bytes: Uint8Array,
  sizes?: readonly number[],
): Promise<OutputRun> {
  const run = output.run();
  await put(run, bytes, sizes);
  await run.end();
  return run;
}

/** The elementary streams of MPEG-TS by packet identifier: the plainest demultiplexer, with none of Kennel's code. */
export function elementaryStreams(bytes: Buffer): Map<number, Buffer> {
  const payloads = new Map<number, Buffer[]>();
  for (let at = 0; at + 188 <= bytes.length; at += 188) {
    const pid = bytes.readUInt16BE(at + 1) & 0x1fff;
    const control = (bytes[at + 3] ?? 0) >> 4;
    if ((control & 1) === 0) continue;
    let payload = bytes.subarray(
      at + 4 + ((control & 2) === 0 ? 0 : 1 + (bytes[at + 4] ?? 0)),
      at + 188,
    );
    if (((bytes[at + 1] ?? 0) & 0x40) !== 0) {
      if (payload.readUIntBE(0, 3) !== 1) continue;
      payload = payload.subarray(9 + (payload[8] ?? 0));
    } else if (!payloads.has(pid)) continue;
    payloads.set(pid, [...(payloads.get(pid) ?? []), payload]);
  }
  return new Map([...payloads].map(([pid, parts]) => [pid, Buffer.concat(parts)]));
}

/** Places where continuity counters do not follow. */
export function counterBreaks(bytes: Buffer): number {
  const last = new Map<number, number>();
  let breaks = 0;
  for (let at = 0; at + 188 <= bytes.length; at += 188) {
    const pid = bytes.readUInt16BE(at + 1) & 0x1fff;
    const control = bytes[at + 3] ?? 0;
    if ((control & 0x10) === 0) continue;
    const before = last.get(pid);
    if (before !== undefined && (control & 15) !== ((before + 1) & 15)) breaks++;
    last.set(pid, control & 15);
  }
  return breaks;
}

/** The same with all its timestamps (PTS, DTS, PCR) set ahead by so many ticks of 90 kHz, modulo 2^33. */
export function shifted(bytes: Buffer, byTicks: number): Buffer {
  const copy = Buffer.from(bytes);
  const modulus = 2n ** 33n;
  const ahead = (ticks: bigint) => (((ticks + BigInt(byTicks)) % modulus) + modulus) % modulus;
  for (let at = 0; at + 188 <= copy.length; at += 188) {
    const control = (copy[at + 3] ?? 0) >> 4;
    const adaptation = (control & 2) === 0 ? 0 : 1 + (copy[at + 4] ?? 0);
    if (adaptation > 7 && ((copy[at + 5] ?? 0) & 0x10) !== 0) {
      const low = copy.readUInt16BE(at + 10);
      const clock = ahead((BigInt(copy.readUInt32BE(at + 6)) << 1n) | BigInt(low >> 15));
      copy.writeUInt32BE(Number(clock >> 1n), at + 6);
      copy.writeUInt16BE((low & 0x7fff) | (Number(clock & 1n) << 15), at + 10);
    }
    const pes = at + 4 + adaptation;
    if (((copy[at + 1] ?? 0) & 0x40) === 0 || (control & 1) === 0 || copy.readUIntBE(pes, 3) !== 1)
      continue;
    const dated = (copy[pes + 7] ?? 0) >> 6;
    for (let index = 0; index < (dated === 3 ? 2 : dated >> 1); index++) {
      const field = pes + 9 + 5 * index;
      const before =
        (BigInt(((copy[field] ?? 0) >> 1) & 7) << 30n) |
        (BigInt(copy.readUInt16BE(field + 1) >> 1) << 15n) |
        BigInt(copy.readUInt16BE(field + 3) >> 1);
      const after = ahead(before);
      copy[field] = ((copy[field] ?? 0) & 0xf1) | (Number(after >> 30n) << 1);
      copy.writeUInt16BE((Number((after >> 15n) & 0x7fffn) << 1) | 1, field + 1);
      copy.writeUInt16BE((Number(after & 0x7fffn) << 1) | 1, field + 3);
    }
  }
  return copy;
}
