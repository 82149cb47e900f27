import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/core/clock.ts';
import { openJournal } from '../../../src/ledger/journal.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';
import type { LedgerRecord } from '../../../src/ledger/record.ts';
import { describeSet, setDirectory } from '../../support/origin/mediaSet.ts';

export const JOB_ID = '0199c0de-0000-7000-8000-00000000cafe';
export const STARTED_AT = Date.UTC(2026, 2, 1, 12);

/** Consecutive segments of a media set as an origin offered them. */
export interface Stretch {
  readonly set: string;
  readonly from: number;
  readonly to: number;
  /** Default: as the stretch before, 0 for the first. */
  readonly epoch?: number;
  readonly discontinuity?: number;
  readonly track?: string;
  /** Which of the job's links it came from. Default: the first. */
  readonly source?: number;
  /** Segments of this stretch that were lost, by their number in the set. */
  readonly lost?: readonly number[];
}

/** Lines of a recording's journal; the media behind them is copied by `storeRecording`. */
export function recordsOf(stretches: readonly Stretch[], end?: LedgerRecord): LedgerRecord[] {
  const records: LedgerRecord[] = [
    { t: 'recording', v: 1, jobId: JOB_ID, at: STARTED_AT },
    { t: 'attempt', attempt: 1, at: STARTED_AT, recorder: 'hls', pid: 1 },
    { t: 'started', at: STARTED_AT, source: { resolution: '256x144' } },
  ];
  const inits = new Map<string, number>();
  const next = new Map<string, number>();
  let epoch = 0;
  let discontinuity = 0;
  for (const stretch of stretches) {
    const set = describeSet(stretch.set);
    const track = stretch.track ?? 'main';
    epoch = stretch.epoch ?? epoch;
    discontinuity = stretch.discontinuity ?? discontinuity;
    if (set.init !== undefined && !inits.has(stretch.set)) {
      const init = inits.size;
      inits.set(stretch.set, init);
      const { bytes, sha256 } = set.init;
      records.push({
        t: 'init',
        init,
        track,
        file: `${stretch.set}/init.mp4`,
        bytes,
        checksum: sha256,
      });
    }
    for (let number = stretch.from; number <= stretch.to; number++) {
      const segment = set.segments[number];
      if (segment === undefined) throw new Error(`${stretch.set} has no segment ${number}`);
      const place = `${track} ${epoch}`;
      const msn = next.get(place) ?? 100;
      next.set(place, msn + 1);
      const key = { track, epoch, msn, at: STARTED_AT + msn };
      if (stretch.lost?.includes(number)) {
        const why = { cause: 'http.404', detail: 'tried 3 times' } as const;
        records.push({ t: 'gap', ...key, count: 1, ...why, durationMs: segment.durationMs });
        continue;
      }
      const init = inits.get(stretch.set);
      records.push({
        t: 'segment',
        ...key,
        durationMs: segment.durationMs,
        bytes: segment.bytes,
        checksum: segment.sha256,
        file: `${stretch.set}/${segment.file}`,
        container: set.container,
        discontinuity,
        ...(init !== undefined && { init }),
        ...(stretch.source !== undefined && { source: stretch.source }),
      });
    }
  }
  return end === undefined ? records : [...records, end];
}

export function ledgerOf(records: readonly LedgerRecord[]): Ledger {
  const ledger = new Ledger();
  for (const record of records) ledger.apply(record);
  return ledger;
}

/** A recording on disk, as the recorder leaves it. */
export async function storeRecording(
  directory: string,
  records: readonly LedgerRecord[],
): Promise<Ledger> {
  for (const record of records) {
    if (record.t !== 'segment' && record.t !== 'init') continue;
    const [set = '', name = ''] = record.file.split('/');
    await mkdir(join(directory, set), { recursive: true });
    await copyFile(join(setDirectory(set), name), join(directory, record.file));
  }
  const journal = await openJournal(directory, { clock: systemClock });
  await journal.append(records);
  await journal.close();
  return ledgerOf(records);
}

export async function temporaryDirectory(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'kennel-test-'));
  return {
    path,
    [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }),
  };
}

export const sha256 = (content: string | Uint8Array): string =>
  createHash('sha256').update(content).digest('hex');
