import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { readPackets } from '../oracle/packets.ts';
import { describeSet, type SetDescription, setDirectory } from '../origin/mediaSet.ts';

/** The set that all worlds play: a minute of H.264 and AAC, whose packets are all different. */
const SET = 'ts';

/** The fixture media as plain files, in a temporary directory of their own. */
export interface WorldMedia {
  readonly directory: string;
  readonly set: SetDescription;
  readonly lengthMs: number;
  /** The whole set in one file. */
  readonly mp4: string;
  remove(): void;
}

const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'kennel-world-'));

/** Puts the set's segments together; nothing is encoded, so every packet keeps its hash. */
export async function worldMedia(ffmpeg: string): Promise<WorldMedia> {
  const directory = newDirectory();
  const set = describeSet(SET);
  const mp4 = join(directory, 'show.mp4');
  await copyTo(ffmpeg, mp4);
  return mediaOf({ directory, set, mp4 });
}

/**
 * The same show as a camera sends it: without frames that refer to later ones, which RTP cannot date (it carries no decoding
 * times). It is encoded, within two seconds, so its packets are its own.
 */
export async function cameraMedia(ffmpeg: string): Promise<WorldMedia> {
  const directory = newDirectory();
  const mp4 = join(directory, 'show.mp4');
  const fast = ['-preset', 'ultrafast', '-tune', 'zerolatency', '-threads', '1', '-g', '25'];
  await copyTo(ffmpeg, mp4, ['-c:v', 'libx264', ...fast, '-b:v', '120k']);
  return mediaOf({ directory, set: await describeFile(ffmpeg, mp4), mp4 });
}

/** The show as MPEG-TS, as it is in the repository. */
export function writeTransportStream(file: string): void {
  const { segments } = describeSet(SET);
  const bodies = segments.map((segment) => readFileSync(join(setDirectory(SET), segment.file)));
  writeFileSync(file, Buffer.concat(bodies));
}

async function copyTo(ffmpeg: string, mp4: string, video: readonly string[] = []): Promise<void> {
  const ts = `${mp4}.ts`;
  writeTransportStream(ts);
  const copy = ['-c', 'copy', ...video, '-bsf:a', 'aac_adtstoasc', '-movflags', '+faststart'];
  await execa(ffmpeg, ['-v', 'error', '-nostdin', '-y', '-i', ts, ...copy, mp4]);
  rmSync(ts);
}

const mediaOf = (made: Pick<WorldMedia, 'directory' | 'set' | 'mp4'>): WorldMedia => ({
  ...made,
  lengthMs: made.set.segments.length * made.set.segmentMs,
  remove: () => rmSync(made.directory, { recursive: true, force: true }),
});

/** As if it were a set with a segment for each second: which packets it has, in order. */
async function describeFile(ffmpeg: string, file: string): Promise<SetDescription> {
  const like = describeSet(SET);
  const packets = await readPackets(ffmpeg, file);
  const share = (hashes: readonly string[], position: number): string[] => {
    const edge = (at: number) => Math.round((at * hashes.length) / like.segments.length);
    return hashes.slice(edge(position), edge(position + 1));
  };
  return {
    ...like,
    name: 'camera',
    segments: like.segments.map((segment, position) => ({
      ...segment,
      video: share(packets.video, position),
      audio: share(packets.audio, position),
    })),
  };
}
