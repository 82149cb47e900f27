import { execa } from 'execa';
import { complaintsOf, readPackets } from './oracle/packets.ts';
import { expectedPositions, type Tally, tally } from './oracle/tally.ts';
import { describeSet, type SetDescription } from './origin/mediaSet.ts';

export interface JudgeOptions {
  /** Path of ffmpeg, from `ffmpegPath()`. */
  readonly ffmpeg: string;
  /** Finished files (MP4, MPEG-TS, Matroska) in the order in which they are to be played. */
  readonly files: readonly string[];
  /** The set that the origin played, by name or as read. */
  readonly set: string | SetDescription;
  /**
   * First and last position (both included) that should be there; `from` > `to` runs through the end of the set.
   * Default: from the first to the last position that is there at all.
   */
  readonly from?: number;
  readonly to?: number;
  /** false: files without sound are whole. Default: true. */
  readonly audio?: boolean;
}

export interface Judgement extends Tally {
  /** What ffmpeg complained about when it read and decoded every file completely. */
  readonly decodeErrors: readonly string[];
  /**
   * What ffmpeg said about time going backwards. A raw stream has such a place wherever the origin announced a break; a
   * finished MP4 should have none.
   */
  readonly timeBreaks: readonly string[];
  /** Packets in the files, known and unknown. */
  readonly packets: { readonly video: number; readonly audio: number };
}

/** Decoding the longest set takes a second; two minutes mean that ffmpeg hangs. */
const DECODE_TIMEOUT_MS = 120_000;

/**
 * Judges finished files by the payload of every packet against the origin's own media, without any of Kennel's code.
 * Positions are those within the set. The packets of a set are unique, so a judgement holds for recordings shorter than
 * one round of it (`ts`: 60 s): behind that, the set's second round looks like duplicates of the first.
 */
export async function judge(options: JudgeOptions): Promise<Judgement> {
  const set = typeof options.set === 'string' ? describeSet(options.set) : options.set;
  const found = { video: [] as string[], audio: [] as string[] };
  const complaints = new Set<string>();
  for (const file of options.files) {
    const packets = await readPackets(options.ffmpeg, file);
    found.video.push(...packets.video);
    found.audio.push(...packets.audio);
    for (const line of [...packets.errors, ...(await decode(options.ffmpeg, file))]) {
      complaints.add(`${file}: ${line}`);
    }
  }
  const withAudio = options.audio ?? true;
  const reference = withAudio ? set.segments : set.segments.map((one) => ({ ...one, audio: [] }));
  const judged = withAudio ? found : { ...found, audio: [] };
  const expected = expectedOf(options, reference, judged);
  return {
    ...tally(reference, judged, expected),
    decodeErrors: [...complaints].filter((line) => !isTimeBreak(line)),
    timeBreaks: [...complaints].filter(isTimeBreak),
    packets: { video: found.video.length, audio: found.audio.length },
  };
}

const isTimeBreak = (line: string): boolean => /non[- ]monoton(ous|ic)/i.test(line);

function expectedOf(
  options: JudgeOptions,
  reference: Parameters<typeof tally>[0],
  found: Parameters<typeof tally>[1],
): number[] {
  const there = tally(reference, found, []).unexpected;
  const from = options.from ?? there.at(0);
  const to = options.to ?? there.at(-1);
  return from === undefined || to === undefined
    ? []
    : expectedPositions(reference.length, from, to);
}

/** Decodes every picture and sound; the lines ffmpeg printed at level `error`. */
async function decode(ffmpeg: string, file: string): Promise<string[]> {
  const input = ['-hide_banner', '-nostdin', '-v', 'error', '-threads', '1', '-i', file];
  const output = ['-map', '0:v?', '-map', '0:a?', '-f', 'null', '-'];
  const result = await execa(ffmpeg, [...input, ...output], {
    reject: false,
    timeout: DECODE_TIMEOUT_MS,
  });
  return complaintsOf(result);
}
