import type { GapCause, SegmentKey } from '../../ledger/record.ts';
import type {
  ByteRange,
  InitSection,
  PlaylistSegment,
  SegmentEncryption,
} from '../playlist/model.ts';

/** A segment as one of the job's links lists it. */
export interface SourcedSegment {
  /** Which of the job's links: 0 is the first. */
  readonly source: number;
  /**
   * As that source lists it: `segment.msn` is its own number there (the IV of an encrypted segment follows from it), whatever
   * number it has in the recording (`FetchOrder.key.msn`).
   */
  readonly segment: PlaylistSegment;
}

/** One download that is to begin now. */
export interface FetchOrder extends SourcedSegment {
  /** `probe`: only its checksum is wanted. */
  readonly purpose: 'store' | 'probe';
  /** Where it stands on the recording's timeline. `segment.msn` is the source's own number, which a key's IV may follow from. */
  readonly key: SegmentKey;
  /** The same media elsewhere, in order of preference: for when the first address fails or is slow. */
  readonly mirrors: readonly SourcedSegment[];
  readonly tries: number;
  readonly timeoutMs: number;
  /** No playlist lists it any more, so that there may be no other try: what comes now is better than nothing. */
  readonly isLast?: boolean;
}

/** Why a try failed, in the ledger's words. */
export interface FetchFailure {
  readonly cause: GapCause;
  /** For people. */
  readonly detail: string;
  /** Trying again changes nothing: it is named as lost at once. */
  readonly isFinal?: boolean;
}

export interface LostSegment {
  readonly key: SegmentKey;
  readonly failure: FetchFailure;
  readonly durationMs: number;
  /** A gap names it already. */
  readonly isNamed?: boolean;
}

/** What is known of a segment that is to be waited for. */
export interface Advertised extends Omit<LostSegment, 'failure'> {
  readonly first?: SourcedSegment;
  /** Why it is lost if no source ever lists an address for it. */
  readonly failure?: FetchFailure;
  readonly expiresAt: number;
}

/** An advertised segment that is neither stored nor lost. */
export interface Waiting {
  readonly key: SegmentKey;
  /** They are numbered as they were advertised. */
  readonly order: number;
  readonly durationMs: number;
  /** As it was first advertised; undefined: nobody listed it so far, its number is all that is known. */
  readonly first: SourcedSegment | undefined;
  /** By source: its last address where the source does not list it any more. */
  readonly kept: Map<number, PlaylistSegment>;
  /** `missing`: no source lists an address. `landed`: its file is durable, only its journal line is not yet. */
  state: 'missing' | 'waiting' | 'fetching' | 'landed' | 'settled';
  tries: number;
  timeouts: number;
  dueAt: number;
  triedAt: number;
  /** When its time is over if no playlist lists it again. Counts from when it is unlisted. */
  expiresAt: number;
  /** When it was first not listed by any source. */
  unlistedAt: number | undefined;
  /** Its time was over while a try was under way or owed. */
  overdue: boolean;
  /** First failure that was an answer, for the time after ENDLIST. */
  refusedAt: number | undefined;
  failure: FetchFailure | undefined;
  /** The sources whose bytes the try under way brings, when that can be told. */
  from: readonly number[];
  /** A gap names it already; it is tried because it was listed after all. */
  readonly isNamed: boolean;
}

const sameRange = (a?: ByteRange, b?: ByteRange): boolean =>
  a?.offset === b?.offset && a?.length === b?.length;

/** Tokens rotate in the query, and servers take turns; what a path names stays the same. */
const samePath = (a: URL, b: URL): boolean => a.pathname === b.pathname;

/**
 * The addresses of `listed` for a segment that was advertised as `first` by the same source: its own, its key's and its
 * initialisation section's. Only they may be newer: number, dates and breaks are as they were first advertised.
 */
export function readdressed(first: PlaylistSegment, listed: PlaylistSegment): PlaylistSegment {
  if (!sameRange(first.range, listed.range) || first.url === listed.url) return first;
  const key = first.key && keyReaddressed(first.key, listed.key);
  const init = first.init && initReaddressed(first.init, listed.init);
  return { ...first, url: listed.url, ...(key && { key }), ...(init && { init }) };
}

function keyReaddressed(first: SegmentEncryption, listed: SegmentEncryption | undefined) {
  const isSame = listed?.method === first.method && samePath(first.url, listed.url);
  return isSame ? { ...first, url: listed.url } : first;
}

function initReaddressed(first: InitSection, listed: InitSection | undefined): InitSection {
  if (listed === undefined || !samePath(first.url, listed.url)) return first;
  if (!sameRange(first.range, listed.range)) return first;
  const key = first.key && keyReaddressed(first.key, listed.key);
  return { ...first, url: listed.url, ...(key && { key }) };
}

/**
 * Its addresses in order of preference: those that sources list now, the leading source's first, then those that they listed
 * before. Each failed try moves the list on by one, so that the next begins with another source.
 */
export function addresses(
  one: Waiting,
  listed: ReadonlyMap<number, PlaylistSegment>,
  lead: number,
): SourcedSegment[] {
  const sources = [...listed.keys()].sort(
    (a, b) => Number(b === lead) - Number(a === lead) || a - b,
  );
  const now = sources.flatMap((source): SourcedSegment[] => {
    const segment = listed.get(source);
    if (segment === undefined) return [];
    const isFirst = one.first?.source === source;
    return [{ source, segment: isFirst ? readdressed(one.first.segment, segment) : segment }];
  });
  const before: SourcedSegment[] = [];
  for (const [source, segment] of one.kept) {
    if (!listed.has(source)) before.push({ source, segment });
  }
  if (one.first !== undefined) {
    const { source } = one.first;
    if (!listed.has(source) && !one.kept.has(source)) before.push(one.first);
  }
  const turning = now.length > 0 ? now : before;
  const turn = turning.length === 0 ? 0 : one.tries % turning.length;
  const turned = [...turning.slice(turn), ...turning.slice(0, turn)];
  return now.length > 0 ? [...turned, ...before] : turned;
}
