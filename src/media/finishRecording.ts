import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Finish, Job } from '../../machines/ports.ts';
import { bootMoment, msSince } from '../core/bootMoment.ts';
import { readJournal } from '../ledger/journal.ts';
import { Ledger } from '../ledger/ledger.ts';
import type { Destination } from './destination.ts';
import { placeOf } from './destination.ts';
import { readIfThere, writeDurably } from './durableFile.ts';
import { fileTags } from './fileTags.ts';
import type { Ffmpeg } from './findFfmpeg.ts';
import { muxRecording } from './mux/muxRecording.ts';
import type { MuxResult } from './mux/muxResult.ts';
import { readReceipt } from './receipt.ts';
import { recordingAbout } from './recordingAbout.ts';
import { makeThumbnails, type Thumbnails } from './thumbnails.ts';
import { uploadRecording } from './uploadRecording.ts';

/** Below the recording's directory: everything that finishing makes. */
export const FINISH_DIRECTORY = 'finish';
const PICTURES_FILE = 'pictures.json';

export interface FinishRecordingOptions {
  /** The recording's directory of a job; absolute. */
  readonly directoryOf: (jobId: string) => string;
  /** The store whose root is this directory; absolute. */
  readonly storageFor: (root: string) => Destination;
  readonly ffmpeg?: Ffmpeg;
  /** What programs get besides `KENNEL_JOB`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Kennel's version and this node's name, for the manifest. */
  readonly kennel: string;
  readonly node: string;
  /** The job's fencing token, for the manifest. */
  readonly tokenOf?: (jobId: string) => number | undefined;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Called before everything that changes the disk or the destination, with a name for it. Tests fail or die in here. */
  readonly before?: (step: string) => void;
}

/**
 * Everything between the last segment and `done`. Each part may be repeated after a crash at any point and ends in the same
 * state. Rejects with the KennelErrors of `muxRecording` and `uploadRecording`, or with the signal's reason.
 */
export function finishRecording(options: FinishRecordingOptions): Finish {
  return {
    async footage(jobId) {
      const { stored, startedAt, startedOn } = await readLedger(options.directoryOf(jobId));
      const agoMs = startedOn && msSince(startedOn, bootMoment());
      return {
        segments: stored,
        ...(startedAt !== undefined && { startedAt }),
        ...(agoMs !== undefined && { agoMs }),
      };
    },
    async mux(job, signal) {
      const directory = options.directoryOf(job.id);
      // Once all is at its destination the local files are gone, and must not be made again.
      if ((await readReceipt(join(directory, FINISH_DIRECTORY))) !== undefined) return;
      await muxJob(options, { job, signal, ledger: await readLedger(directory) });
    },
    async upload(job, signal) {
      const directory = options.directoryOf(job.id);
      const finishDirectory = join(directory, FINISH_DIRECTORY);
      const ledger = await readLedger(directory);
      const place = placeOf(job.spec.output, { id: job.id, startedAt: ledger.startedAt });
      const token = options.tokenOf?.(job.id);
      return await uploadRecording({
        job,
        ledger,
        directory,
        finishDirectory,
        store: options.storageFor(place.root),
        ...place,
        // Costs nothing when the result of `mux` is there, and makes it anew when somebody has deleted it.
        made: async () => await muxJob(options, { job, signal, ledger }),
        kennel: options.kennel,
        node: options.node,
        ...(token !== undefined && { token }),
        log: options.log,
        before: options.before ?? (() => undefined),
        signal,
      });
    },
  };
}

async function readLedger(directory: string): Promise<Ledger> {
  const ledger = new Ledger();
  for (const record of (await readJournal(directory)).records) ledger.apply(record);
  return ledger;
}

interface JobRequest {
  readonly job: Job;
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
}

async function muxJob(
  options: FinishRecordingOptions,
  { job, ledger, signal }: JobRequest,
): Promise<{ mux: MuxResult; pictures: Thumbnails }> {
  const { ffmpeg, environment = {}, log, before } = options;
  const directory = options.directoryOf(job.id);
  const outputDirectory = join(directory, FINISH_DIRECTORY);
  const place = placeOf(job.spec.output, { id: job.id, startedAt: ledger.startedAt });
  const soundOnly = job.spec.audioOnly ?? false;
  const mux = await muxRecording({
    directory,
    ledger,
    outputDirectory,
    environment,
    signal,
    log: (message, fields) => log(message, { jobId: job.id, ...fields }),
    tags: fileTags(recordingAbout(ledger, job), place.name),
    soundEnding: place.ending === 'mp4' ? 'mp4' : 'm4a',
    ...(soundOnly && { soundOnly }),
    ...(ffmpeg !== undefined && { ffmpeg }),
    ...(before !== undefined && { before }),
  });
  const saved = await savedPictures(outputDirectory, mux);
  if (saved !== undefined) return { mux, pictures: saved };
  const film = mux.files.find(({ tracks }) => tracks.some(({ kind }) => kind === 'video'));
  const pictures =
    film === undefined || soundOnly
      ? noPictures(soundOnly ? 'only the sound is wanted' : 'no video')
      : await makeThumbnails({
          ...(ffmpeg !== undefined && { ffmpeg }),
          file: join(outputDirectory, film.file),
          durationMs: film.durationMs,
          outputDirectory,
          environment: { ...environment, KENNEL_JOB: job.id },
          signal,
        });
  before?.('save the pictures');
  const note = JSON.stringify({ source: mux.source, pictures });
  await writeDurably(join(outputDirectory, PICTURES_FILE), note);
  return { mux, pictures };
}

const noPictures = (why: string): Thumbnails => ({
  files: [],
  missing: [
    { kind: 'poster', why },
    { kind: 'sprite', why },
  ],
});

const kindSchema = z.enum(['poster', 'sprite']);
const picturesNoteSchema = z.object({
  /** As in `MuxResult`. */
  source: z.string(),
  pictures: z.object({
    files: z.array(
      z.object({ kind: kindSchema, file: z.string(), bytes: z.number(), checksum: z.string() }),
    ),
    missing: z.array(z.object({ kind: kindSchema, why: z.string() })),
  }),
});

async function savedPictures(
  outputDirectory: string,
  mux: MuxResult,
): Promise<Thumbnails | undefined> {
  const text = await readIfThere(join(outputDirectory, PICTURES_FILE));
  if (text === undefined) return undefined;
  let note: z.infer<typeof picturesNoteSchema>;
  try {
    note = picturesNoteSchema.parse(JSON.parse(text));
  } catch {
    // Written by another version: pictures can be made again.
    return undefined;
  }
  if (note.source !== mux.source) return undefined;
  for (const { file, bytes } of note.pictures.files) {
    const size = await stat(join(outputDirectory, file)).then(
      (found) => found.size,
      () => undefined,
    );
    if (size !== bytes) return undefined;
  }
  return note.pictures;
}
