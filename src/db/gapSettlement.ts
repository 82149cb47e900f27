import { Ledger } from '../ledger/ledger.ts';
import type { LedgerRecord, SegmentLost, SegmentStored } from '../ledger/record.ts';
import type { GapQueries, NumberRange } from './gapQueries.ts';

type Settling = SegmentStored | SegmentLost;

/** Gaps in one statement: nine parameters each, and Postgres takes 65,535. */
const ROWS_PER_STATEMENT = 1_000;

/**
 * Brings the stored gaps up to date with new lines, and returns by how much the number of lost segments changed. A segment
 * heals the gap that names it, and a gap names nothing that is settled: the ledger itself decides, on the part of the
 * recording that the lines touch. Nearly always that part has no gap at all, and one look tells so.
 */
export async function settleGaps(
  queries: GapQueries,
  jobId: string,
  records: readonly LedgerRecord[],
): Promise<number> {
  let change = 0;
  for (const { range, lines } of byEpoch(records)) {
    const known = await queries.gapsIn(jobId, range);
    const isGapTold = lines.some(({ t }) => t === 'gap');
    if (known.length === 0 && !isGapTold) continue;

    const ledger = new Ledger();
    for (const { jobId: _job, ...gap } of known) ledger.apply({ t: 'gap', ...gap });
    const before = ledger.lost;
    const stored = isGapTold ? await queries.numbersIn(jobId, range) : [];
    for (const { msn } of stored) ledger.apply(standIn(range, msn));
    for (const line of lines) ledger.apply(line);
    change += ledger.lost - before;

    const { left, news } = split(ledger.gaps(), known);
    if (numbers(left) < numbers(known)) {
      await queries.deleteGaps(jobId, range);
      await queries.retelling(true);
      await insertAll(queries, jobId, left);
      await queries.retelling(false);
    }
    await insertAll(queries, jobId, news);
  }
  return change;
}

/** What is left of gaps that were known, and what was not known before: only that is told. */
function split(after: readonly SegmentLost[], known: readonly Numbered[]) {
  const isKnown = ({ msn, count }: Numbered) =>
    known.some((one) => msn >= one.msn && msn + count <= one.msn + one.count);
  return { left: after.filter(isKnown), news: after.filter((gap) => !isKnown(gap)) };
}

type Numbered = Pick<SegmentLost, 'msn' | 'count'>;

const numbers = (gaps: readonly Numbered[]): number =>
  gaps.reduce((sum, { count }) => sum + count, 0);

async function insertAll(
  queries: GapQueries,
  jobId: string,
  gaps: readonly SegmentLost[],
): Promise<void> {
  for (let from = 0; from < gaps.length; from += ROWS_PER_STATEMENT) {
    await queries.insertGaps(jobId, gaps.slice(from, from + ROWS_PER_STATEMENT));
  }
}

interface EpochLines {
  readonly range: NumberRange;
  readonly lines: readonly Settling[];
}

/** Segment and gap lines by track and epoch, in order, with the range of numbers that they name. */
function byEpoch(records: readonly LedgerRecord[]): readonly EpochLines[] {
  const isSettling = (record: LedgerRecord): record is Settling =>
    record.t === 'segment' || record.t === 'gap';
  const settling = records.filter(isSettling);
  const groups = Map.groupBy(settling, ({ track, epoch }) => `${epoch} ${track}`);
  return [...groups.values()].flatMap((lines) => {
    const [first] = lines;
    if (!first) return [];
    let from = first.msn;
    let to = first.msn;
    for (const line of lines) {
      from = Math.min(from, line.msn);
      to = Math.max(to, line.msn + (line.t === 'gap' ? line.count : 1));
    }
    return [{ range: { track: first.track, epoch: first.epoch, from, to }, lines }];
  });
}

/** A segment that is stored already: the ledger only has to know its key. */
const standIn = ({ track, epoch }: NumberRange, msn: number): SegmentStored => ({
  t: 'segment',
  track,
  epoch,
  msn,
  at: 0,
  durationMs: 0,
  bytes: 0,
  checksum: '',
  file: '',
  container: 'ts',
  discontinuity: 0,
});
