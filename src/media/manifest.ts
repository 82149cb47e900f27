import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Job } from '../../machines/ports.ts';
import { OUTCOMES, type Outcome } from '../../machines/vocabulary.ts';
import { plainWithoutSecrets, withoutSecrets } from '../core/withoutSecrets.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { proofOf } from '../ledger/proof.ts';
import { manifestTrackSchema, manifestTracks, wallClockOf } from './manifestTracks.ts';
import { markSchema, marksOf } from './marks.ts';
import {
  damagedSchema,
  isVerified,
  type MuxResult,
  muxedFileSchema,
  sidecarSchema,
} from './mux/muxResult.ts';
import { recordingAbout, recordingAboutSchema } from './recordingAbout.ts';
import type { Thumbnails } from './thumbnails.ts';

const facts = z.record(z.string(), z.unknown());

const proofSchema = z.object({
  jobId: z.string().nullable(),
  advertised: z.number(),
  stored: z.number(),
  /** Gaps: `count` segments from `msn` on are missing because of `cause`. */
  lost: z.array(
    z.object({
      track: z.string(),
      epoch: z.number(),
      msn: z.number(),
      count: z.number(),
      cause: z.string(),
      detail: z.string(),
      durationMs: z.number(),
    }),
  ),
  duplicates: z.number(),
  bytes: z.number(),
  durationMs: z.number(),
  attempts: z.number(),
  /** What the account rests on, and who recorded: see `Proof` in the ledger. */
  basis: z.enum(['playlist', 'timestamps']).default('playlist'),
  recorders: z.array(z.string()).default([]),
  startedAt: z.number().nullable(),
  ended: z.object({ why: z.string(), evidence: facts }).nullable(),
  /** Tracks that lack what cannot be counted: their playlists could not be read for a time, or ever. */
  unheard: z.array(z.string()).default([]),
  /** How to compute it: see `Proof` in the ledger. */
  checksum: z.string(),
});

/** The commit point of a finished recording: written last, so that where it stands all that it names stands too. */
export const manifestSchema = z.object({
  schema: z.literal('kennel.manifest/1'),
  jobId: z.string(),
  /** Fencing token of the owner that wrote it; null where there is none. */
  token: z.number().nullable(),
  /** Without credentials and query. */
  source: z.string(),
  /** Only the sound was asked for: `leftOut` of each file says what was not wanted. */
  audioOnly: z.boolean().default(false),
  about: recordingAboutSchema.default({}),
  /** What was asked for, in order of preference, and what was chosen. */
  quality: z.array(z.string()),
  chosen: facts,
  /** Milliseconds since the epoch. */
  startedAt: z.number().nullable(),
  endedAt: z.number().nullable(),
  ending: z.string().nullable(),
  verdict: z.string().nullable(),
  outcome: z.enum(OUTCOMES),
  attempts: z.number(),
  proof: proofSchema,
  /** What was recorded side by side. */
  tracks: z.array(manifestTrackSchema),
  /** EXT-X-PROGRAM-DATE-TIME of the first segment's beginning and the last one's end, milliseconds since the epoch. */
  wallClock: z.object({ from: z.number(), until: z.number() }).nullable(),
  /** How the segments are hashed; everything else is hashed with SHA-256. */
  checksums: z.enum(['blake3', 'sha256']),
  /** Rows: media sequence number, duration in milliseconds, bytes, checksum. */
  segments: z.array(
    z.object({
      track: z.string(),
      epoch: z.number(),
      rows: z.array(z.tuple([z.number(), z.number(), z.number(), z.string()])),
    }),
  ),
  /** Finished files; `file` is the key at the destination. */
  files: z.array(muxedFileSchema),
  /** Subtitles beside the finished files. */
  sidecars: z.array(sidecarSchema),
  /** Stored files that are not what was recorded any more: they are in no finished file. */
  damaged: z.array(damagedSchema),
  /** Tracks that are in no finished file, or not wholly, and why. */
  unjoined: z.array(z.object({ track: z.string(), why: z.string() })),
  /** Ads and other marks: `count` of them, of which the first are listed. */
  marks: z.object({ count: z.number(), list: z.array(markSchema) }),
  pictures: z.array(
    z.object({ kind: z.string(), file: z.string(), bytes: z.number(), checksum: z.string() }),
  ),
  missingPictures: z.array(z.object({ kind: z.string(), why: z.string() })),
  /** Every finished file has every packet and the duration that the playlists said. */
  verified: z.boolean(),
  kennel: z.string(),
  node: z.string(),
});
export type Manifest = z.infer<typeof manifestSchema>;

export interface ManifestParts {
  readonly job: Job;
  readonly token?: number;
  readonly ledger: Ledger;
  readonly outcome: Outcome;
  readonly mux: MuxResult;
  readonly pictures: Thumbnails;
  /** The key at the destination of each local file. */
  readonly keyOf: (file: string) => string;
  /** Kennel's version, and the name of this node. */
  readonly kennel: string;
  readonly node: string;
}

/** The manifest, always the same for the same parts. Secrets in URLs are taken out of everything. */
export function manifestOf(parts: ManifestParts): Manifest {
  const { job, ledger, outcome, pictures, keyOf, kennel, node } = parts;
  const mux = withKeys(parts.mux, keyOf);
  // Everything in it is text that somebody else may have sent us; the schema drops nothing that is ours.
  return manifestSchema.parse({
    schema: 'kennel.manifest/1',
    jobId: job.id,
    token: parts.token ?? null,
    source: withoutSecrets(job.spec.url),
    audioOnly: job.spec.audioOnly ?? false,
    about: recordingAbout(ledger, job),
    quality: job.spec.quality,
    chosen: plainWithoutSecrets(ledger.source ?? {}),
    startedAt: ledger.startedAt ?? null,
    endedAt: ledger.ended?.at ?? null,
    ending: job.ending ?? ledger.ended?.why ?? null,
    verdict: job.verdict ?? null,
    outcome,
    attempts: ledger.attempts,
    proof: plainWithoutSecrets(proofOf(ledger)),
    tracks: manifestTracks(ledger, mux),
    wallClock: wallClockOf(ledger),
    checksums: ledger.checksums,
    segments: segmentRows(ledger),
    files: mux.files,
    sidecars: mux.sidecars,
    damaged: mux.damaged,
    unjoined: mux.unjoined,
    marks: plainWithoutSecrets(marksOf(ledger, mux)),
    pictures: pictures.files.map((picture) => ({ ...picture, file: keyOf(picture.file) })),
    missingPictures: pictures.missing,
    verified: isVerified(mux),
    kennel,
    node,
  });
}

/** The same result with the names that its files have at the destination. */
const withKeys = (mux: MuxResult, keyOf: (file: string) => string): MuxResult => ({
  ...mux,
  files: mux.files.map((file) => ({ ...file, file: keyOf(file.file) })),
  sidecars: mux.sidecars.map((each) => ({
    ...each,
    file: keyOf(each.file),
    of: keyOf(each.of),
  })),
});

export const manifestText = (manifest: Manifest): string => `${JSON.stringify(manifest)}\n`;

/** SHA-256, hex, over everything but who wrote it: two owners that finish the same recording say the same. */
export const contentChecksum = (manifest: Manifest): string =>
  createHash('sha256')
    .update(JSON.stringify({ ...manifest, token: null, kennel: '', node: '' }))
    .digest('hex');

/** The manifest that a text holds, or undefined when it is none of a version we know. */
export function readManifest(text: string): Manifest | undefined {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** What a manifest has said of itself since the first version. */
const outlineSchema = z.object({
  schema: z.literal('kennel.manifest/1'),
  jobId: z.string(),
  token: z.number().nullable(),
  proof: z.object({ checksum: z.string() }),
  kennel: z.string(),
});
export type ManifestOutline = z.infer<typeof outlineSchema>;

/** The same of a manifest that another Kennel wrote, whose form may lack what came later or have what is not known yet. */
export function readOutline(text: string): ManifestOutline | undefined {
  try {
    return outlineSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function segmentRows(ledger: Ledger): Manifest['segments'] {
  const groups: Manifest['segments'] = [];
  for (const { track, epoch, msn, durationMs, bytes, checksum } of ledger.segments()) {
    let group = groups.at(-1);
    if (group?.track !== track || group.epoch !== epoch) {
      group = { track, epoch, rows: [] };
      groups.push(group);
    }
    group.rows.push([msn, durationMs, bytes, checksum]);
  }
  return groups;
}
