import { globSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { type Tool, toolPath, whyMissing } from '../../support/tools.ts';

/** A recorder other than Kennel, as a program. */
export interface Program {
  readonly name: string;
  /** How it is called and with what, for the head of the table. */
  readonly description: string;
  readonly path: string;
  args(url: string, file: string): readonly string[];
}

/** Those that are installed here, and why the others are not. */
export interface Programs {
  readonly found: readonly Program[];
  readonly missing: readonly { readonly name: string; readonly why: string }[];
}

export const PROGRAM_NAMES = ['ffmpeg', 'ffmpeg-tuned', 'yt-dlp', 'streamlink'] as const;

export async function findPrograms(names: readonly string[]): Promise<Programs> {
  const found: Program[] = [];
  const missing: { name: string; why: string }[] = [];
  for (const name of PROGRAM_NAMES.filter((one) => names.includes(one))) {
    const tool: Tool = name === 'ffmpeg-tuned' ? 'ffmpeg' : name;
    const path = await toolPath(tool);
    if (path === undefined) missing.push({ name, why: (await whyMissing(tool)) ?? '' });
    else found.push(await MAKE[name](path));
  }
  return { found, missing };
}

const MAKE = { ffmpeg, 'ffmpeg-tuned': tunedFfmpeg, 'yt-dlp': ytDlp, streamlink } as const;

const FFMPEG_COMMON = ['-hide_banner', '-loglevel', 'warning', '-nostdin', '-y'];
const ffmpegOutput = (file: string): string[] => ['-c', 'copy', '-f', 'mpegts', file];

async function ffmpeg(path: string): Promise<Program> {
  return {
    name: 'ffmpeg',
    description: `${await ffmpegVersion(path)}: -i URL -c copy out.ts`,
    path,
    args: (url, file) => [...FFMPEG_COMMON, '-i', url, ...ffmpegOutput(file)],
  };
}

/** Every option that helps a live recording, as far as this ffmpeg knows it. */
const TUNING: readonly (readonly [flag: string, value: string, from: 'http' | 'tcp' | 'hls'])[] = [
  ['rw_timeout', '5000000', 'tcp'],
  ['reconnect', '1', 'http'],
  ['reconnect_at_eof', '0', 'http'],
  ['reconnect_on_network_error', '1', 'http'],
  ['reconnect_on_http_error', '4xx,5xx', 'http'],
  ['reconnect_streamed', '1', 'http'],
  ['reconnect_delay_max', '2', 'http'],
  ['max_reload', '1000', 'hls'],
  ['m3u8_hold_counters', '1000', 'hls'],
  ['seg_max_retry', '8', 'hls'],
  ['live_start_index', '0', 'hls'],
];

async function tunedFfmpeg(path: string): Promise<Program> {
  const help = async (what: string): Promise<string> =>
    (await execa(path, ['-hide_banner', '-h', what])).stdout;
  const [http, hls] = [await help('protocol=http'), await help('demuxer=hls')];
  const knows = (flag: string, from: string): boolean =>
    // rw_timeout belongs to all protocols, and is in none's help.
    from === 'tcp' || new RegExp(`^ +-${flag} `, 'm').test(from === 'http' ? http : hls);
  const flags = TUNING.filter(([flag, , from]) => knows(flag, from)).flatMap(([flag, value]) => [
    `-${flag}`,
    value,
  ]);
  return {
    name: 'ffmpeg-tuned',
    description: `the same with ${flags.join(' ')}`,
    path,
    args: (url, file) => [...FFMPEG_COMMON, ...flags, '-i', url, ...ffmpegOutput(file)],
  };
}

async function ffmpegVersion(path: string): Promise<string> {
  const { stdout } = await execa(path, ['-version']);
  return /^ffmpeg version \S+/.exec(stdout)?.[0] ?? 'ffmpeg';
}

async function ytDlp(path: string): Promise<Program> {
  const { stdout: version } = await execa(path, ['--version']);
  // Before 2023.06 it takes a bare playlist for a recording that is over, and is done with its first window.
  const how = ['--downloader', 'm3u8:ffmpeg', '--hls-use-mpegts', '--no-part'];
  const quiet = ['--ignore-config', '--no-update', '--no-check-certificates', '--no-progress'];
  return {
    name: 'yt-dlp',
    description: `yt-dlp ${version}: ${how.join(' ')}`,
    path,
    args: (url, file) => [...quiet, ...how, '--cache-dir', `${file}.cache`, '-o', file, url],
  };
}

/** What it calls `best` may be a variant without picture. */
const QUALITY = '144p,90p,best';

async function streamlink(path: string): Promise<Program> {
  const { stdout: version } = await execa(path, ['--version']);
  const how = [
    ...['--hls-live-edge', '6', '--hls-playlist-reload-attempts', '10'],
    ...['--stream-segment-attempts', '10', '--stream-segment-threads', '3'],
    ...['--stream-segment-timeout', '5'],
  ];
  const quiet = ['--loglevel', 'warning', '--ffmpeg-fout', 'mpegts'];
  return {
    name: 'streamlink',
    description: `${version}: ${how.join(' ')}`,
    path,
    args: (url, file) => [...quiet, ...how, '--force', '-o', file, `hls://${url}`, QUALITY],
  };
}

/** The file of the n-th run of a recorder, from 0 on. */
export const outputFile = (directory: string, run: number): string =>
  join(directory, `out${run}.ts`);

/** All files of a run: yt-dlp merges picture and sound into one of another name. */
export const filesOf = (file: string): string[] =>
  globSync(`${file.replace(/\.ts$/, '')}*.{ts,mkv,mp4,m4a,webm}`).toSorted();
