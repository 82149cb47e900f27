import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isKennelError, KennelError, messageOf } from '../../core/errors.ts';
import { finishFile, measureFile, UNFINISHED } from '../durableFile.ts';
import type { Ffmpeg } from '../findFfmpeg.ts';
import { countSegments, type Run } from '../joinedRun.ts';
import type { MediaInfo } from '../mediabunny/protocol.ts';
import type { PlacedText } from '../subtitles/placeTexts.ts';
import { writeSubtitles } from '../subtitles/writeSubtitles.ts';
import { anchorsOf } from '../timing/anchors.ts';
import { verifyFile } from '../verify.ts';
import { comesOutOfStep, ffmpegPlan } from './ffmpegPlan.ts';
import { fileTracks } from './fileTracks.ts';
import type { MuxContext } from './muxContext.ts';
import type { Made, MuxRequest } from './muxRequest.ts';
import type { MuxedFile, MuxResult, Sidecar, Verification } from './muxResult.ts';
import { muxWithFfmpeg } from './muxWithFfmpeg.ts';
import { muxWithMediabunny } from './muxWithMediabunny.ts';
import type { ReadRun } from './readRuns.ts';

export interface RunToMux extends ReadRun {
  /** Subtitles for it. */
  readonly texts: readonly PlacedText[];
  /** Of the first file that is made of it. */
  readonly number: number;
}

export interface MuxedRun {
  readonly files: MuxedFile[];
  readonly sidecars: Sidecar[];
  readonly unjoined: MuxResult['unjoined'];
}

/**
 * One run as one file. When no muxer can put its renditions together, the separate ones become files of their own: sound that is
 * beside the picture is better than none. A separate one that nobody can copy even so is named in `unjoined`. Throws
 * `mux.unverified` when nobody can copy the main track.
 */
export async function muxRun(context: MuxContext, read: RunToMux): Promise<MuxedRun> {
  const whole = await tryRun(context, read);
  if ('files' in whole) return whole;
  const { run, apart } = read;
  if (apart.length === 0) return { files: [], sidecars: [], unjoined: [givenUp(run, whole)] };
  context.log('renditions could not be put together', {
    file: whole.file,
    rejected: whole.rejected,
  });
  const { companions: _, ...own } = run;
  const alone: Run = { ...own, companions: [], sections: withoutCompanions(run) };
  const files: MuxedFile[] = [];
  const sidecars: Sidecar[] = [];
  const unjoined: MuxResult['unjoined'] = [];
  const before = whole.rejected.map(({ muxer, why }) => ({
    muxer,
    why: `together with ${run.companions.map(({ track }) => track).join(', ')}: ${why}`,
  }));
  for (const [index, each] of [alone, ...apart].entries()) {
    const firsts = index === 0 ? read.firsts : each.timelines.map(() => firstOf(read, each));
    const texts = index === 0 ? read.texts : [];
    const number = read.number + files.length;
    const made = await tryRun(context, {
      ...{ ...read, run: each, firsts, companionFirsts: [], apart: [], texts, number },
    });
    if (!('files' in made)) {
      unjoined.push(givenUp(each, { ...made, rejected: [...before, ...made.rejected] }));
      continue;
    }
    files.push(...made.files.map((file) => ({ ...file, rejected: [...before, ...file.rejected] })));
    sidecars.push(...made.sidecars);
  }
  return { files, sidecars, unjoined };
}

function givenUp(run: Run, { file, rejected }: Rejected): MuxResult['unjoined'][number] {
  const why = `no muxer copied every packet of ${file}: ${rejected.map((each) => `${each.muxer}: ${each.why}`).join('; ')}`;
  if (run.info.kind !== 'main') return { track: run.track, why };
  throw new KennelError('mux.unverified', `${why}; the segments stay as they are`, {
    details: { file, rejected },
  });
}

const withoutCompanions = (run: Run): Run['sections'] =>
  run.sections
    .map(({ parts }) => ({ parts: parts.filter(({ rendition }) => rendition === 0) }))
    .filter(({ parts }) => parts.length > 0);

const firstOf = ({ run, companionFirsts }: RunToMux, { track }: Run): MediaInfo =>
  companionFirsts[run.companions.findIndex((companion) => companion.track === track)] ?? {
    format: 'unknown',
    tracks: [],
  };

interface Rejected {
  readonly file: string;
  readonly rejected: MuxedFile['rejected'];
}

async function tryRun(context: MuxContext, read: RunToMux): Promise<MuxedRun | Rejected> {
  const { log } = context;
  const tracks = [read.firsts[0], ...read.companionFirsts].flatMap((info) => [
    ...(info?.tracks ?? []),
    ...(info?.unread ?? []),
  ]);
  const audioOnly =
    read.run.container === 'packed' ||
    (tracks.length > 0 && !tracks.some(({ kind }) => kind === 'video'));
  const { soundOnly = false, soundEnding = 'm4a' } = context;
  const ending = soundOnly || read.number === 1 ? soundEnding : 'm4a';
  const file = `run-${read.number}.${audioOnly ? ending : 'mp4'}`;
  const request = requestFor(context, read, file);
  const rejected: MuxedFile['rejected'] = [];
  for (const [muxer, make] of muxersFor(request, context.ffmpeg, rejected)) {
    context.before?.(`mux ${file} with ${muxer}`);
    const tried = await tryMuxer(request, make);
    if ('made' in tried) {
      if (tried.verification.complaints.length > 0) {
        log('finished file differs from what was expected', {
          file,
          complaints: tried.verification.complaints,
        });
      }
      return await accept(context, { ...tried, read, file, output: request.output, rejected });
    }
    log('muxer failed', { file, muxer, why: tried.why });
    rejected.push({ muxer, why: tried.why });
  }
  await rm(request.output, { force: true });
  return { file, rejected };
}

function requestFor(context: MuxContext, read: RunToMux, file: string): MuxRequest {
  const { outputDirectory, ledger } = context;
  return {
    run: read.run,
    firsts: read.firsts,
    companionFirsts: read.companionFirsts,
    ragged: read.ragged,
    withoutPictures: read.withoutPictures,
    needsExactTimes: read.texts.length > 0,
    // A name of its own: a muxer that outlives its node opens its file again by name, to move the index.
    output: `${join(outputDirectory, file)}.${randomUUID()}${UNFINISHED}`,
    directory: context.directory,
    checksums: ledger.checksums,
    environment: context.environment,
    signal: context.signal,
    ...(context.tags !== undefined && { tags: context.tags }),
    ...(ledger.startedAt !== undefined && { createdAt: ledger.startedAt }),
    ...(context.onProgress !== undefined && { onProgress: context.onProgress }),
    subtitlesFor: async (map) => {
      const written = await writeSubtitles({ outputDirectory, file, map, texts: read.texts });
      return written
        .filter(({ cues }) => cues > 0)
        .map(({ file: name, language, name: title }) => ({
          path: join(outputDirectory, name),
          ...(language !== undefined && { language }),
          ...(title !== undefined && { name: title }),
        }));
    },
  };
}

type Make = (request: MuxRequest) => Promise<Made>;

function muxersFor(
  request: MuxRequest,
  ffmpeg: Ffmpeg | undefined,
  rejected: { muxer: string; why: string }[],
): [name: string, make: Make][] {
  const mediabunny: [string, Make] = ['mediabunny', muxWithMediabunny];
  if (ffmpeg === undefined) return [mediabunny];
  const plan = ffmpegPlan(request);
  if ('unfit' in plan) {
    rejected.push({ muxer: 'ffmpeg', why: plan.unfit });
    return [mediabunny];
  }
  const byFfmpeg: [string, Make] = [
    'ffmpeg',
    async () => await muxWithFfmpeg(request, { ...ffmpeg, plan }),
  ];
  return comesOutOfStep(request) ? [mediabunny, byFfmpeg] : [byFfmpeg, mediabunny];
}

type Tried =
  | { readonly made: Made; readonly verification: Verification; readonly info: MediaInfo }
  | { readonly why: string };

/** Only `mux.failed` and lost packets are the muxer's fault: a full disk or a spoilt segment is none that another cures. */
async function tryMuxer(request: MuxRequest, make: Make): Promise<Tried> {
  const { output, run, firsts, companionFirsts, ragged, environment, signal } = request;
  try {
    const made = await make(request);
    const { verification, info } = await verifyFile(output, {
      ...{ run, source: made.source, firsts, companionFirsts, ragged, environment, signal },
      ...(made.muxer === 'ffmpeg' && comesOutOfStep(request) && { outOfStep: ragged.skewSeconds }),
    });
    const spansFit = verification.spans?.every(({ fits }) => fits) ?? true;
    // Out of step is the muxer's fault as much as lost packets; the last one's word stands when none does better.
    if (verification.packets.equal && (spansFit || made.muxer === 'mediabunny')) {
      return { made, verification, info };
    }
    return { why: verification.complaints.join('; ') };
  } catch (error) {
    signal.throwIfAborted();
    if (isKennelError(error) && error.code === 'mux.failed') return { why: messageOf(error) };
    throw error;
  }
}

async function accept(
  context: MuxContext,
  accepted: Extract<Tried, { made: Made }> & {
    readonly read: RunToMux;
    readonly file: string;
    /** Where it is until it has its name. */
    readonly output: string;
    readonly rejected: MuxedFile['rejected'];
  },
): Promise<MuxedRun> {
  const { read, file, output, made, verification, info, rejected } = accepted;
  const { outputDirectory, signal } = context;
  const { run } = read;
  const path = join(outputDirectory, file);
  const measured = await measureFile(output, signal);
  context.before?.(`name ${file}`);
  await finishFile(output, path);
  const muxed: MuxedFile = {
    file,
    track: run.track,
    ...measured,
    durationMs: verification.duration.fileMs,
    tracks: fileTracks(read, info),
    companions: run.companions.map(({ track, pairedBy }) => ({ track, pairedBy })),
    muxer: made.muxer,
    toolVersion: made.toolVersion,
    // Made again, the same file has the same manifest.
    ...(made.command !== undefined && {
      command: made.command.map((each) => (each === output ? path : each)),
    }),
    segments: countSegments(run),
    ...(read.withoutPictures && { leftOut: ['video' as const] }),
    anchors: anchorsOf(run, made.map),
    verification,
    rejected,
  };
  if (read.texts.length > 0) context.before?.(`write the subtitles of ${file}`);
  const { texts } = read;
  const written = await writeSubtitles({ outputDirectory, file, map: made.map, texts });
  const sidecars: Sidecar[] = [];
  for (const sidecar of written) {
    const size = await measureFile(join(outputDirectory, sidecar.file), signal);
    const isMuxed = made.muxer === 'ffmpeg' && sidecar.cues > 0;
    sidecars.push({ ...sidecar, ...size, of: file, muxed: isMuxed });
  }
  return { files: [muxed], sidecars, unjoined: [] };
}
