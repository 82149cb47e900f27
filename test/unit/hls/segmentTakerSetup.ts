import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import type { FetchOrder } from '../../../src/hls/planner/queue.ts';
import type { PlaylistSegment } from '../../../src/hls/playlist/model.ts';
import { fetchFailure } from '../../../src/hls/segment/fetchFailure.ts';
import { SegmentTaker } from '../../../src/hls/segment/segmentTaker.ts';
import { leanTransport } from '../../../src/hls/transport/leanTransport.ts';
import { CHECKSUMS_DEFAULT } from '../../../src/ledger/contentHash.ts';
import { openJournal, readJournal } from '../../../src/ledger/journal.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';
import type { ChecksumAlgorithm } from '../../../src/ledger/record.ts';
import { verifyFiles } from '../../../src/ledger/verifyFiles.ts';
import { JournalWriter } from '../../../src/recording/journalWriter.ts';
import { answer, rawServer } from './transportServer.ts';

/** A clock whose delays of up to this are over at once; longer ones never are. */
export const hasty = (uptoMs: number): Clock => ({
  ...systemClock,
  setTimeout: (callback, delayMs) => (delayMs <= uptoMs ? setTimeout(callback, 0) : undefined),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout), // what setTimeout above gave
});

interface SetupOptions {
  readonly clock?: Clock;
  readonly checksums?: ChecksumAlgorithm;
}

export async function setup({
  clock = systemClock,
  checksums = CHECKSUMS_DEFAULT,
}: SetupOptions = {}) {
  const directory = await mkdtemp(path.join(tmpdir(), 'kennel-taker-'));
  const transport = leanTransport();
  const journal = await openJournal(directory, { clock });
  const writer = new JournalWriter({
    journal,
    clock,
    troubled: () => undefined,
    healed: () => undefined,
    broken: () => undefined,
  });
  onTestFinished(async () => {
    transport.close();
    await journal.close();
    await rm(directory, { recursive: true, force: true });
  });
  void writer.write({ t: 'recording', v: 1, checksums, jobId: 'job', at: 1 });
  let attempt = 1;
  const makeTaker = () =>
    new SegmentTaker({
      directory,
      attempt,
      transport,
      headers: {},
      clock,
      writer,
      checksums,
      inits: journal.ledger.inits,
    });
  let taker = makeTaker();
  const take = async (order: FetchOrder, signal = new AbortController().signal) =>
    await taker.take(order, signal, () => undefined);
  const ledger = async () => {
    const read = new Ledger();
    for (const record of (await readJournal(directory)).records) read.apply(record);
    return read;
  };
  return {
    directory,
    take,
    ledger,
    restart: () => {
      attempt++;
      taker = makeTaker();
    },
    file: (name: string) => path.join(directory, name),
    media: async () =>
      (await readdir(path.join(directory, 'media'), { recursive: true }))
        .filter((name) => name.includes('.'))
        .sort(),
    stored: async () => (await ledger()).segments(),
    isSound: async () => expect(await verifyFiles(directory, await ledger())).toEqual([]),
  };
}

export const segmentOf = (url: URL, more: Partial<PlaylistSegment> = {}): PlaylistSegment => ({
  msn: 7,
  url,
  identity: url.pathname,
  durationMs: 2_000,
  discontinuity: 0,
  gap: false,
  ...more,
});

export const orderOf = (segment: PlaylistSegment, more: Partial<FetchOrder> = {}): FetchOrder => ({
  purpose: 'store',
  key: { track: 'main', epoch: 0, msn: segment.msn },
  source: 0,
  segment,
  mirrors: [],
  tries: 0,
  timeoutMs: 60_000,
  ...more,
});

/** Never answers. */
export const silent = () => rawServer(() => undefined);
export const serving = async (body: Buffer) => (await rawServer(answer(body))).url('/s.ts');
export const failureOf = async (taking: Promise<unknown>) =>
  fetchFailure(
    await taking.then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
