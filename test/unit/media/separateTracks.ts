import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { LedgerRecord, SegmentStored } from '../../../src/ledger/record.ts';
import { describeSet, setDirectory } from '../../support/origin/mediaSet.ts';
import { JOB_ID, STARTED_AT, sha256 } from './recording.ts';

/** What plays on one track for a while: segments of a media set, of which only the picture or only the sound is taken. */
export interface Shot {
  readonly track: string;
  readonly set: 'ts' | 'hi' | 'text';
  /** Default: the picture on `main`, the sound elsewhere. `packed`: the sound as ADTS with an ID3 timestamp. */
  readonly as?: 'video' | 'audio' | 'packed';
  readonly from: number;
  readonly to: number;
  readonly epoch?: number;
  readonly discontinuity?: number;
  /** Numbers in the set. */
  readonly lost?: readonly number[];
  /** Wall clock of segment 0 of the set, milliseconds since the epoch. */
  readonly zeroAt?: number;
}

/** Segments of sets with picture and sound apart, below a directory: `ts/video-007.mpegts`, `ts/audio-007.mpegts`, `ts/packed-007.aac`. */
export async function splitSet(
  ffmpeg: string,
  directory: string,
  which: { readonly set: string; readonly from: number; readonly to: number },
): Promise<void> {
  const { set, from, to } = which;
  await mkdir(join(directory, set), { recursive: true });
  const numbers = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const name = (number: number): string => String(number).padStart(3, '0');
  const copy = ['-c', 'copy', '-copyts', '-muxdelay', '0', '-muxpreload', '0', '-f', 'mpegts'];
  await execa(ffmpeg, [
    ...['-v', 'error', '-y'],
    ...numbers.flatMap((number) => ['-i', join(setDirectory(set), `${name(number)}.mpegts`)]),
    ...numbers.flatMap((number, index) => [
      ...['-map', `${index}:v`, ...copy, join(directory, set, `video-${name(number)}.mpegts`)],
      ...['-map', `${index}:a`, ...copy, join(directory, set, `audio-${name(number)}.mpegts`)],
      ...['-map', `${index}:a`, '-c', 'copy', '-f', 'adts'],
      join(directory, set, `packed-${name(number)}.aac`),
    ]),
  ]);
  for (const number of numbers) {
    const [first] = await packetTimes(ffmpeg, join(directory, set, `audio-${name(number)}.mpegts`));
    const path = join(directory, set, `packed-${name(number)}.aac`);
    await writeFile(path, Buffer.concat([id3(first?.seconds ?? 0), await readFile(path)]));
  }
}

function id3(seconds: number): Buffer {
  const owner = Buffer.from('com.apple.streaming.transportStreamTimestamp\0', 'latin1');
  const ticks = Buffer.alloc(8);
  ticks.writeBigUInt64BE(BigInt(Math.round(seconds * 90_000)));
  const frame = Buffer.concat([Buffer.from('PRIV\0\0\0\0\0\0'), owner, ticks]);
  frame.writeUInt32BE(owner.length + 8, 4);
  const head = Buffer.from('ID3\x04\0\0\0\0\0\0', 'latin1');
  head[9] = frame.length;
  return Buffer.concat([head, frame]);
}

/** A journal of several tracks whose files come from where `splitSet` put them. */
export async function recordTracks(
  source: string,
  directory: string,
  shots: readonly Shot[],
): Promise<LedgerRecord[]> {
  const records: LedgerRecord[] = [
    { t: 'recording', v: 1, jobId: JOB_ID, at: STARTED_AT },
    { t: 'attempt', attempt: 1, at: STARTED_AT, recorder: 'hls', pid: 1 },
    { t: 'started', at: STARTED_AT, source: { tracks: toldTracks(shots) } },
  ];
  const next = new Map<string, number>();
  for (const shot of shots) {
    const { track, set, epoch = 0, lost = [] } = shot;
    for (let number = shot.from; number <= shot.to; number++) {
      const place = `${track} ${epoch}`;
      const msn = next.get(place) ?? 100;
      next.set(place, msn + 1);
      const key = { track, epoch, msn, at: STARTED_AT };
      if (lost.includes(number)) {
        const why = { cause: 'http.404', detail: 'tried 3 times' } as const;
        records.push({ t: 'gap', ...key, count: 1, ...why, durationMs: 1_000 });
        continue;
      }
      const { file, container } = fileOf(shot, number);
      await mkdir(dirname(join(directory, file)), { recursive: true });
      await copyFile(join(source, file), join(directory, file));
      const content = await readFile(join(directory, file));
      records.push({
        t: 'segment',
        ...key,
        durationMs: set === 'text' ? 1_000 : (describeSet(set).segments[number]?.durationMs ?? 0),
        bytes: content.length,
        checksum: sha256(content),
        file,
        container,
        discontinuity: shot.discontinuity ?? 0,
        ...(shot.zeroAt !== undefined && { wallClock: shot.zeroAt + number * 1_000 }),
      });
    }
  }
  return records;
}

function fileOf(shot: Shot, number: number): Pick<SegmentStored, 'file' | 'container'> {
  const name = String(number).padStart(3, '0');
  if (shot.set === 'text') return { file: `text/${shot.track}-${name}.vtt`, container: 'webvtt' };
  const as = shot.as ?? (shot.track === 'main' ? 'video' : 'audio');
  return as === 'packed'
    ? { file: `${shot.set}/packed-${name}.aac`, container: 'packed' }
    : { file: `${shot.set}/${as}-${name}.mpegts`, container: 'ts' };
}

function toldTracks(shots: readonly Shot[]): Record<string, string>[] {
  const tracks = new Set(shots.map(({ track }) => track).filter((track) => track !== 'main'));
  return [...tracks].map((track) => ({
    track,
    kind: track.startsWith('subtitles') ? 'subtitles' : 'audio',
    language: track.split('-')[1] ?? 'en',
    name: `${track} for people`,
  }));
}

export interface TimedPacket {
  /** Number of the stream in the file. */
  readonly stream: number;
  readonly kind: 'video' | 'audio';
  readonly seconds: number;
  readonly hash: string;
}

/** Every packet of a file with its presentation time, as ffmpeg reads it. */
export async function packetTimes(
  ffmpeg: string,
  source: string | Uint8Array,
): Promise<TimedPacket[]> {
  const { stdout } = await execa(
    ffmpeg,
    [
      ...['-v', 'error', '-copyts', '-i', typeof source === 'string' ? source : 'pipe:0'],
      ...['-map', '0:v?', '-map', '0:a?', '-copyinkf', '-copypriorss', '1', '-c', 'copy'],
      ...['-bsf:v', 'h264_mp4toannexb,filter_units=remove_types=6|7|8|9|12'],
      ...['-bsf:a', 'aac_adtstoasc', '-f', 'framemd5', 'pipe:1'],
    ],
    typeof source === 'string' ? { stdin: 'ignore' } : { input: source },
  );
  const kinds = new Map<string, 'video' | 'audio'>();
  const ticks = new Map<string, number>();
  const packets: TimedPacket[] = [];
  for (const line of stdout.split('\n')) {
    const [, stream = '', kind] = /^#media_type (\d+): (\w+)$/.exec(line) ?? [];
    if (kind !== undefined) kinds.set(stream, kind === 'audio' ? 'audio' : 'video');
    const [, base = '', over = '1', under = '1'] = /^#tb (\d+): (\d+)\/(\d+)$/.exec(line) ?? [];
    if (base !== '') ticks.set(base, Number(over) / Number(under));
    if (line.startsWith('#') || line === '') continue;
    const [number = '', , pts = '', , , hash = ''] = line.split(',').map((field) => field.trim());
    packets.push({
      stream: Number(number),
      kind: kinds.get(number) ?? 'video',
      seconds: Number(pts) * (ticks.get(number) ?? 1),
      hash,
    });
  }
  return packets;
}

/** The source's time of every packet of a set, by its hash. */
export async function sourceTimes(ffmpeg: string, set: string): Promise<Map<string, number>> {
  const { segments, init } = describeSet(set);
  const files = [...(init === undefined ? [] : [init]), ...segments];
  const bodies = files.map(({ file }) => readFile(join(setDirectory(set), file)));
  const packets = await packetTimes(ffmpeg, Buffer.concat(await Promise.all(bodies)));
  return new Map(packets.map(({ hash, seconds }) => [hash, seconds]));
}
