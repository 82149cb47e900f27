import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { KennelError } from '../core/errors.ts';
import { readJournal } from '../ledger/journal.ts';
import { Ledger } from '../ledger/ledger.ts';
import type { SegmentStored } from '../ledger/record.ts';
import { runProgram } from '../process/runProgram.ts';
import { segmentBytes } from './segmentBytes.ts';

/** A dashboard's tile, pixels. */
const WIDTH = 480;
/** One key frame is decoded in a fraction of this; longer is a segment that does not want to be one, milliseconds. */
const TIME_MS_MAX = 10_000;
/** Decoders at once: pictures must not take what recordings need. */
const AT_ONCE_MAX = 2;
const NICENESS = 15;
/** A picture is as fresh as this; within, everybody who asks gets the same one, milliseconds. */
const FRESH_MS = 4_000;
const PICTURES_KEPT = 200;

export interface LivePicturesOptions {
  /** Pictures are made by ffmpeg only. */
  ffmpeg(): Promise<{ readonly path: string } | undefined>;
  directoryOf(jobId: string): string;
  readonly clock: Clock;
}

/** Pictures of recordings, running or ended, as long as their segments are on this disk. */
export class LivePictures {
  readonly #options: LivePicturesOptions;
  readonly #kept = new Map<string, { readonly at: number; readonly picture: Promise<Made> }>();
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: LivePicturesOptions) {
    this.#options = options;
  }

  /**
   * A JPEG of the newest segment, or of the one nearest to a wall-clock time; undefined when none can be shown.
   *
   * @throws KennelError `tool.missing` without ffmpeg
   */
  async pictureOf(jobId: string, at?: number): Promise<Uint8Array | undefined> {
    const { clock } = this.#options;
    const key = `${jobId} ${at ?? ''}`;
    const known = this.#kept.get(key);
    if (known && clock.elapsed() - known.at < FRESH_MS) return await known.picture;
    const picture = this.#inTurn(() => this.#make(jobId, at));
    this.#kept.delete(key);
    this.#kept.set(key, { at: clock.elapsed(), picture });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > PICTURES_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return await picture;
  }

  async #make(jobId: string, at: number | undefined): Promise<Made> {
    const ffmpeg = await this.#options.ffmpeg();
    if (!ffmpeg)
      throw new KennelError(
        'tool.missing',
        'Pictures need ffmpeg; "kennel doctor" says how to get it.',
      );
    const directory = this.#options.directoryOf(jobId);
    const { ledger, segment } = await findSegment(directory, at);
    if (!segment) return undefined;
    const init = ledger.inits.filter(({ init }) => init === segment.init);
    const entries = [...init, segment];
    const work = await mkdtemp(join(tmpdir(), 'kennel-picture-'));
    try {
      const file = join(work, 'picture.jpg');
      const { exitCode } = await runProgram({
        file: ffmpeg.path,
        arguments: [
          ...['-hide_banner', '-v', 'error', '-protocol_whitelist', 'pipe,file'],
          ...['-f', segment.container === 'fmp4' ? 'mov' : 'mpegts', '-i', 'pipe:0'],
          ...['-map', '0:v:0', '-frames:v', '1', '-vf', `scale=${WIDTH}:-2`],
          ...['-q:v', '5', '-f', 'mjpeg', file],
        ],
        input: segmentBytes({ directory, entries, checksums: ledger.checksums }, () => undefined),
        environment: { KENNEL_JOB: jobId },
        directory: work,
        niceness: NICENESS,
        signal: AbortSignal.timeout(TIME_MS_MAX),
      });
      return exitCode === 0 ? await readFile(file) : undefined;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }

  async #inTurn(make: () => Promise<Made>): Promise<Made> {
    if (this.#running < AT_ONCE_MAX) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await make();
    } finally {
      // Whoever waits takes over the turn.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}

type Made = Uint8Array | undefined;

/** The last stored segment of the main track, or the one whose storing is nearest to `at`. */
async function findSegment(
  directory: string,
  at: number | undefined,
): Promise<{ readonly ledger: Ledger; readonly segment: SegmentStored | undefined }> {
  const ledger = new Ledger({ segmentsKept: 1 });
  let nearest: SegmentStored | undefined;
  const distance = ({ wallClock, at: storedAt }: SegmentStored) =>
    Math.abs((wallClock ?? storedAt) - (at ?? 0));
  for (const record of (await readJournal(directory)).records) {
    ledger.apply(record);
    if (record.t !== 'segment' || record.track !== 'main') continue;
    const isBetter =
      at === undefined || nearest === undefined || distance(record) < distance(nearest);
    if (isBetter) nearest = record;
  }
  return { ledger, segment: nearest };
}
