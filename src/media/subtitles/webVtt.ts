/** One cue, its times in seconds. */
export interface Cue {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly id?: string;
  /** What stands behind the times: position, alignment. */
  readonly settings: string;
  /** Lines as they were sent. */
  readonly text: string;
}

/** What a WebVTT segment says. */
export interface WebVtt {
  /** X-TIMESTAMP-MAP: the cue time `localSeconds` is the media timestamp `mediaSeconds` (RFC 8216 §3.5). */
  readonly timestampMap?: { readonly mediaSeconds: number; readonly localSeconds: number };
  readonly cues: readonly Cue[];
  /** STYLE and REGION blocks. */
  readonly blocks: readonly string[];
}

const CLOCK_HERTZ = 90_000;
const TIME = String.raw`(?:\d+:)?\d{1,2}:\d{2}[.,]\d{3}`;
const TIMING = new RegExp(`^(${TIME})[ \\t]+-->[ \\t]+(${TIME})(?:[ \\t]+(.*))?$`);

/** Reads a WebVTT file; undefined when it is none. Lines that make no sense are passed over, as players do. */
export function parseWebVtt(text: string): WebVtt | undefined {
  const normal = text
    .replace(/^\uFEFF/, '')
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll('\0', '\uFFFD');
  if (!/^WEBVTT(?:[ \t\n]|$)/.test(normal)) return undefined;
  const cues: Cue[] = [];
  const blocks: string[] = [];
  for (const block of normal.split(/\n{2,}/)) {
    const lines = block.split('\n').filter((line) => line !== '');
    const [first = ''] = lines;
    if (/^(?:STYLE|REGION)[ \t]*$/.test(first)) {
      blocks.push(lines.join('\n'));
      continue;
    }
    const timing = lines.slice(0, 2).findIndex((line) => line.includes('-->'));
    const cue = timing === -1 ? undefined : cueOf(lines, timing);
    if (cue !== undefined) cues.push(cue);
  }
  const timestampMap = timestampMapIn(normal);
  return { cues, blocks, ...(timestampMap !== undefined && { timestampMap }) };
}

function cueOf(lines: readonly string[], timing: number): Cue | undefined {
  const match = TIMING.exec((lines[timing] ?? '').trim());
  if (match === null) return undefined;
  const [, start = '', end = '', settings = ''] = match;
  const id = timing === 1 ? lines[0] : undefined;
  return {
    startSeconds: secondsOf(start),
    endSeconds: secondsOf(end),
    ...(id !== undefined && { id }),
    settings: settings.trim(),
    text: lines.slice(timing + 1).join('\n'),
  };
}

function timestampMapIn(text: string): WebVtt['timestampMap'] {
  const line = /^X-TIMESTAMP-MAP[ \t]*[=:](.*)$/m.exec(text)?.[1];
  if (line === undefined) return undefined;
  const ticks = /MPEGTS:(\d+)/.exec(line)?.[1];
  const local = new RegExp(`LOCAL:(${TIME})`).exec(line)?.[1];
  if (ticks === undefined || local === undefined) return undefined;
  return { mediaSeconds: Number(ticks) / CLOCK_HERTZ, localSeconds: secondsOf(local) };
}

function secondsOf(time: string): number {
  const [seconds = 0, minutes = 0, hours = 0] = time
    .replace(',', '.')
    .split(':')
    .toReversed()
    .map(Number);
  return hours * 3_600 + minutes * 60 + seconds;
}

/** The text of a WebVTT file. */
export function formatWebVtt({ cues, blocks }: Pick<WebVtt, 'cues' | 'blocks'>): string {
  const parts = cues.map(({ startSeconds, endSeconds, id, settings, text }) =>
    [
      ...(id === undefined ? [] : [id]),
      `${timeOf(startSeconds)} --> ${timeOf(endSeconds)}${settings === '' ? '' : ` ${settings}`}`,
      text,
    ].join('\n'),
  );
  return `${['WEBVTT', ...blocks, ...parts].join('\n\n')}\n`;
}

function timeOf(seconds: number): string {
  const all = Math.max(0, Math.round(seconds * 1_000));
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const milliseconds = String(all % 1_000).padStart(3, '0');
  return `${two(all / 3_600_000)}:${two((all / 60_000) % 60)}:${two((all / 1_000) % 60)}.${milliseconds}`;
}
