import { createHash } from 'node:crypto';
import type { Ledger } from './ledger.ts';
import type { EndCause, GapCause, SegmentLost } from './record.ts';
import { isProgram } from './recorders.ts';
import { unheardTracks } from './unheardTracks.ts';

/** What is missing from a recording: `count` segments from `msn` on. */
export interface NamedLoss {
  readonly track: string;
  readonly epoch: number;
  readonly msn: number;
  readonly count: number;
  readonly cause: GapCause;
  readonly detail: string;
  readonly durationMs: number;
  /** See `SegmentLost.estimated`. */
  readonly estimated?: true;
}

/** What a recording claims about itself. Plain JSON: it goes into the manifest. */
export interface Proof {
  readonly jobId: string | null;
  /** Always `stored` plus the counts of `lost`. */
  readonly advertised: number;
  readonly stored: number;
  readonly lost: readonly NamedLoss[];
  /** Segments that were stored again under a key that was stored before; the first stands. */
  readonly duplicates: number;
  /** Bytes of all stored segments. */
  readonly bytes: number;
  /** Media time stored (of the longest track), milliseconds. */
  readonly durationMs: number;
  readonly attempts: number;
  /**
   * What the account rests on. `playlist`: on what the origin offered, as the native engine read it. `timestamps`: on those of what
   * programs put out, for all of the recording or for a part of it: what a program was offered and did not put out shows as a
   * hole in them, unless it was at the beginning or at the end.
   */
  readonly basis: 'playlist' | 'timestamps';
  /** Who recorded, in the order in which they did: `native`, `yt-dlp`, … */
  readonly recorders: readonly string[];
  /** When the first playlist was accepted, milliseconds since the epoch. */
  readonly startedAt: number | null;
  readonly ended: {
    readonly why: EndCause;
    readonly evidence: Readonly<Record<string, unknown>>;
  } | null;
  /** Tracks that lack what cannot be counted: their playlists could not be read for a time, or ever. */
  readonly unheard: readonly string[];
  /**
   * SHA-256, hex, of one line `<track> <epoch> <msn> <checksum of the segment's file, hex>\n` for each stored segment, as
   * ASCII, ordered by track (by character code), then epoch, then media sequence number (as numbers). The files' own
   * checksums are what `b3sum` prints, or `sha256sum` where the journal's first line says no other (`checksums`). With `jq`
   * and `sha256sum` on the journal (no segment stored twice):
   *
   *     cut -c10- journal.ndjson | jq -rs 'map(select(.t == "segment")) | sort_by(.track, .epoch, .msn)[]
   *       | "\(.track) \(.epoch) \(.msn) \(.checksum)"' | sha256sum
   */
  readonly checksum: string;
}

const lossOf = (gap: SegmentLost): NamedLoss => {
  const { track, epoch, msn, count, cause, detail, durationMs, estimated } = gap;
  return { track, epoch, msn, count, cause, detail, durationMs, ...(estimated && { estimated }) };
};

/** The proof of what a ledger holds. Throws when the ledger does not add up, which would be a bug in it. */
export function proofOf(ledger: Ledger): Proof {
  const hash = createHash('sha256');
  const segments = ledger.segments();
  for (const { track, epoch, msn, checksum } of segments) {
    hash.update(`${track} ${epoch} ${msn} ${checksum}\n`);
  }
  const lost = ledger.gaps().map(lossOf);
  const lostCount = lost.reduce((sum, { count }) => sum + count, 0);
  // Counted afresh from the lists themselves: the running totals must say the same.
  if (segments.length !== ledger.stored || segments.length + lostCount !== ledger.advertised) {
    throw new Error(
      `the ledger does not add up: ${ledger.advertised} advertised, ${ledger.stored} stored, ` +
        `${ledger.lost} lost; listed are ${segments.length} and ${lostCount}`,
    );
  }
  const { ended } = ledger;
  return {
    jobId: ledger.jobId ?? null,
    advertised: ledger.advertised,
    stored: segments.length,
    lost,
    duplicates: ledger.duplicates,
    bytes: ledger.bytes,
    durationMs: ledger.durationMs,
    attempts: ledger.attempts,
    basis: ledger.recorders.every((name) => !isProgram(name)) ? 'playlist' : 'timestamps',
    recorders: ledger.recorders,
    startedAt: ledger.startedAt ?? null,
    ended: ended === undefined ? null : { why: ended.why, evidence: ended.evidence },
    unheard: unheardTracks(ledger),
    checksum: hash.digest('hex'),
  };
}
