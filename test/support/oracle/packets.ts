import { execa } from 'execa';

/** Hashes of every packet of one file, in file order. */
export interface Packets {
  readonly video: readonly string[];
  readonly audio: readonly string[];
  /** Lines that ffmpeg printed at level `error` while reading. */
  readonly errors: readonly string[];
}

/** 64 bits of the MD5: with some ten thousand packets a false match has a chance of 10⁻¹², and the sets stay small. */
const HASH_HEX_DIGITS = 16;

/** Reading and hashing the longest set takes a tenth of a second; a minute means that ffmpeg hangs. */
const READ_TIMEOUT_MS = 60_000;

/**
 * What a container or a muxer may add or drop without touching the picture: SEI (6), parameter sets (7, 8), access unit
 * delimiters (9) and filler (12). Without them a picture has the same bytes in MPEG-TS, MP4 and Matroska.
 */
const VIDEO_FILTERS = 'h264_mp4toannexb,filter_units=remove_types=6|7|8|9|12';

/** ADTS headers exist in MPEG-TS only; this takes them off there, and leaves audio from MP4 as it is. */
const AUDIO_FILTERS = 'aac_adtstoasc';

/** Reads the file (or bytes) with ffmpeg, copying packets, and hashes the payload of each. Never decodes. */
export async function readPackets(ffmpeg: string, source: string | Uint8Array): Promise<Packets> {
  const input = typeof source === 'string' ? source : 'pipe:0';
  const keepAll = ['-copyinkf', '-copypriorss', '1'];
  const result = await execa(
    ffmpeg,
    [
      ...['-hide_banner', '-v', 'error', '-i', input, '-map', '0:v:0?', '-map', '0:a:0?'],
      ...[...keepAll, '-c', 'copy', '-bsf:v', VIDEO_FILTERS, '-bsf:a', AUDIO_FILTERS],
      ...['-f', 'framemd5', 'pipe:1'],
    ],
    {
      reject: false,
      timeout: READ_TIMEOUT_MS,
      ...(typeof source === 'string' ? { stdin: 'ignore' as const } : { input: source }),
    },
  );
  return { ...parseFrameHashes(result.stdout), errors: complaintsOf(result) };
}

/** What ffmpeg printed, line by line; never empty when it failed. */
export function complaintsOf(result: {
  readonly stderr: string;
  readonly failed: boolean;
  readonly message?: string | undefined;
}): string[] {
  const lines = result.stderr.split('\n').filter((line) => line.trim() !== '');
  if (result.failed && lines.length === 0) lines.push(result.message ?? 'ffmpeg failed');
  // An address in memory differs from run to run and says nothing.
  return lines.map((line) => line.replace(/ @ 0x[0-9a-f]+/g, ''));
}

/** Parses the framemd5 format: `#media_type 0: video` headers, then `stream, dts, pts, duration, size, hash`. */
export function parseFrameHashes(text: string): { video: string[]; audio: string[] } {
  const hashes = { video: [] as string[], audio: [] as string[] };
  const media = new Map<string, 'video' | 'audio'>();
  for (const line of text.split('\n')) {
    const header = /^#media_type (\d+): (video|audio)$/.exec(line);
    if (header?.[1] !== undefined) media.set(header[1], header[2] === 'audio' ? 'audio' : 'video');
    if (line.startsWith('#') || line === '') continue;
    const fields = line.split(',').map((field) => field.trim());
    const kind = media.get(fields[0] ?? '');
    const hash = fields[5];
    if (kind !== undefined && hash !== undefined) hashes[kind].push(hash.slice(0, HASH_HEX_DIGITS));
  }
  return hashes;
}
