import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isKennelError, KennelError, messageOf } from '../../core/errors.ts';
import { diskError } from '../../ledger/diskError.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { proofOf } from '../../ledger/proof.ts';
import { finishFile, measureFile, readIfThere, UNFINISHED, writeDurably } from '../durableFile.ts';
import type { Ffmpeg } from '../findFfmpeg.ts';
import type { MediaInfo } from '../mediabunny/protocol.ts';
import { type Run, segmentsOf } from '../runs.ts';
import { verifyFile } from '../verify.ts';
import type { Made, MuxRequest } from './muxRequest.ts';
import { type MuxedFile, type MuxResult, muxResultSchema, type Verification } from './muxResult.ts';
import { ffmpegInput, muxWithFfmpeg } from './muxWithFfmpeg.ts';
import { muxWithMediabunny } from './muxWithMediabunny.ts';
import { type ReadRun, readRuns } from './readRuns.ts';

/** The saved result. Written last: when it is there, all of it is. */
export const MUX_RESULT_FILE = 'mux.json';

export interface MuxOptions {
  /** The recording's directory: the ledger's files are below it. */
  readonly directory: string;
  readonly ledger: Ledger;
  /** Made when missing. Everything in it that looks like a result of this function is this function's. */
  readonly outputDirectory: string;
  /** Absent: everything is done by the embedded mediabunny. */
  readonly ffmpeg?: Ffmpeg;
  readonly signal: AbortSignal;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** What programs get besides `KENNEL_JOB`. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly title?: string;
  readonly onProgress?: MuxRequest['onProgress'];
  /** Called before everything that changes the disk, with a name for it. Tests fail or die in here. */
  readonly before?: (step: string) => void;
}

/**
 * Puts a recording's segments into MP4 files, one for each run, and verifies each. Repeatable after a crash at any point: a
 * result that was saved for the same segments is returned, anything else that was left is made anew. Throws `mux.failed`,
 * `mux.unverified` when no muxer copied every packet, `disk.full`, `disk.failed`, or the signal's reason.
 */
export async function muxRecording(options: MuxOptions): Promise<MuxResult> {
  const { ledger, outputDirectory, signal } = options;
  const source = proofOf(ledger).checksum;
  const saved = await savedResult(outputDirectory);
  if (saved?.source === source && (await allThere(outputDirectory, saved))) return saved;

  options.before?.('clear');
  await clear(outputDirectory);
  const context: Context = {
    ...options,
    environment: { ...options.environment, KENNEL_JOB: ledger.jobId ?? '' },
  };
  const runs = await readRuns(context);
  const files: MuxedFile[] = [];
  for (const [index, read] of runs.entries()) {
    signal.throwIfAborted();
    const tracks = read.firsts[0]?.tracks ?? [];
    const audioOnly =
      read.run.container === 'packed' ||
      (tracks.length > 0 && !tracks.some(({ kind }) => kind === 'video'));
    const file = `run-${index + 1}.${audioOnly ? 'm4a' : 'mp4'}`;
    files.push(await muxRun(context, { ...read, file }));
  }
  const result: MuxResult = { v: 1, source, files };
  options.before?.('save the result');
  await writeDurably(
    join(outputDirectory, MUX_RESULT_FILE),
    `${JSON.stringify(result, null, 2)}\n`,
  );
  return result;
}

/** The saved result of a directory, whatever it was made from; undefined when there is none. */
export async function savedResult(outputDirectory: string): Promise<MuxResult | undefined> {
  const text = await readIfThere(join(outputDirectory, MUX_RESULT_FILE));
  if (text === undefined) return undefined;
  try {
    return muxResultSchema.parse(JSON.parse(text));
  } catch {
    // Written by another version: as good as none, since everything can be made anew.
    return undefined;
  }
}

type Context = MuxOptions & { readonly environment: Readonly<Record<string, string>> };

interface RunRequest extends ReadRun {
  readonly file: string;
}

async function allThere(outputDirectory: string, { files }: MuxResult): Promise<boolean> {
  for (const { file, bytes } of files) {
    const size = await stat(join(outputDirectory, file)).then(
      (found) => found.size,
      () => undefined,
    );
    if (size !== bytes) return false;
  }
  return true;
}

async function clear(outputDirectory: string): Promise<void> {
  try {
    await mkdir(outputDirectory, { recursive: true });
    // First the result: it must never stand for files that are gone.
    await rm(join(outputDirectory, MUX_RESULT_FILE), { force: true });
    for (const name of await readdir(outputDirectory)) {
      const ours = /^run-\d+\./.test(name) || name.endsWith(UNFINISHED);
      if (ours) await rm(join(outputDirectory, name), { force: true });
    }
  } catch (error) {
    throw diskError(error, 'clear', outputDirectory);
  }
}

async function muxRun(context: Context, { run, firsts, file }: RunRequest): Promise<MuxedFile> {
  const { outputDirectory, signal, log, ledger } = context;
  const path = join(outputDirectory, file);
  const output = path + UNFINISHED;
  const request: MuxRequest = {
    run,
    firsts,
    output,
    directory: context.directory,
    checksums: ledger.checksums,
    environment: context.environment,
    signal,
    ...(context.title !== undefined && { title: context.title }),
    ...(ledger.startedAt !== undefined && { createdAt: ledger.startedAt }),
    ...(context.onProgress !== undefined && { onProgress: context.onProgress }),
  };
  const rejected: { muxer: string; why: string }[] = [];
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
      return await accept(context, { run, file, rejected, ...tried });
    }
    log('muxer failed', { file, muxer, why: tried.why });
    rejected.push({ muxer, why: tried.why });
  }
  await rm(output, { force: true });
  throw new KennelError(
    'mux.unverified',
    `no muxer copied every packet of ${file}: ${rejected.map(({ muxer, why }) => `${muxer}: ${why}`).join('; ')}; ` +
      'the segments stay as they are',
    { details: { file, rejected } },
  );
}

type Make = (request: MuxRequest) => Promise<Made>;

function muxersFor(
  request: MuxRequest,
  ffmpeg: Ffmpeg | undefined,
  rejected: { muxer: string; why: string }[],
): [name: string, make: Make][] {
  const mediabunny: [string, Make] = ['mediabunny', muxWithMediabunny];
  if (ffmpeg === undefined) return [mediabunny];
  const input = ffmpegInput(request.run, request.firsts);
  if ('unfit' in input) {
    rejected.push({ muxer: 'ffmpeg', why: input.unfit });
    return [mediabunny];
  }
  const tool = { ...ffmpeg, format: input.format };
  return [['ffmpeg', async () => await muxWithFfmpeg(request, tool)], mediabunny];
}

type Tried =
  | { readonly made: Made; readonly verification: Verification; readonly info: MediaInfo }
  | { readonly why: string };

/** Only `mux.failed` and lost packets are the muxer's fault: a full disk or a spoilt segment is none that another cures. */
async function tryMuxer(request: MuxRequest, make: Make): Promise<Tried> {
  const { output, run, firsts, environment, signal } = request;
  try {
    const made = await make(request);
    const { verification, info } = await verifyFile(output, {
      run,
      source: made.source,
      firsts,
      environment,
      signal,
    });
    if (verification.packets.equal) return { made, verification, info };
    return { why: verification.complaints.join('; ') };
  } catch (error) {
    signal.throwIfAborted();
    if (isKennelError(error) && error.code === 'mux.failed') return { why: messageOf(error) };
    throw error;
  }
}

async function accept(
  context: Context,
  accepted: Extract<Tried, { made: Made }> & {
    readonly run: Run;
    readonly file: string;
    readonly rejected: MuxedFile['rejected'];
  },
): Promise<MuxedFile> {
  const { run, file, made, verification, info, rejected } = accepted;
  const path = join(context.outputDirectory, file);
  const measured = await measureFile(path + UNFINISHED, context.signal);
  context.before?.(`name ${file}`);
  await finishFile(path + UNFINISHED, path);
  return {
    file,
    track: run.track,
    ...measured,
    durationMs: verification.duration.fileMs,
    tracks: info.tracks.map(({ kind, codec, codecString, packets = 0, width, height }) => ({
      kind,
      codec: codecString ?? codec ?? 'unknown',
      packets,
      ...(width !== undefined && { width }),
      ...(height !== undefined && { height }),
    })),
    muxer: made.muxer,
    toolVersion: made.toolVersion,
    ...(made.command !== undefined && { command: [...made.command] }),
    segments: [run, ...run.companions].reduce((sum, part) => sum + segmentsOf(part).length, 0),
    verification,
    rejected,
  };
}
