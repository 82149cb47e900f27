import type { Ledger } from '../../ledger/ledger.ts';
import type { SegmentStored } from '../../ledger/record.ts';
import { type RenditionInfo, renditionsOf } from '../renditions.ts';
import { segmentBytes } from '../segmentBytes.ts';
import { parseWebVtt, type WebVtt } from './webVtt.ts';

/** One segment of a subtitle track. */
export interface TextSegment {
  readonly segment: SegmentStored;
  readonly text: WebVtt;
}

/** A subtitle track as it was recorded. */
export interface Text {
  readonly info: RenditionInfo;
  readonly segments: readonly TextSegment[];
}

/** A segment of a few seconds has some hundred bytes of text; a hundred thousand times that is no subtitle, bytes. */
const TEXT_BYTES_MAX = 16 * 1024 * 1024;

export interface ReadTextsOptions {
  readonly ledger: Ledger;
  /** The recording's. */
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly leftOut: ReadonlySet<SegmentStored>;
}

/**
 * Every subtitle track that is WebVTT, and those that are not with the reason. Throws `disk.failed` for a segment that is not as
 * recorded.
 */
export async function readTexts(
  options: ReadTextsOptions,
): Promise<{ texts: Text[]; unjoined: { track: string; why: string }[] }> {
  const { ledger, leftOut } = options;
  const texts: Text[] = [];
  const unjoined: { track: string; why: string }[] = [];
  for (const info of renditionsOf(ledger)) {
    if (info.kind !== 'subtitles') continue;
    const stored = ledger.segments(info.track).filter((segment) => !leftOut.has(segment));
    if (stored.length === 0) continue;
    const other = stored.find(({ container }) => container !== 'webvtt');
    if (other !== undefined) {
      const why = `subtitles in ${other.container} cannot be joined; the segments stay`;
      unjoined.push({ track: info.track, why });
      continue;
    }
    const segments: TextSegment[] = [];
    let unreadable = 0;
    for (const segment of stored) {
      const text = await readText(options, segment);
      if (text === undefined) unreadable++;
      else segments.push({ segment, text });
    }
    if (segments.length > 0) texts.push({ info, segments });
    if (unreadable > 0) {
      unjoined.push({ track: info.track, why: `${unreadable} segments are no WebVTT` });
    }
  }
  return { texts, unjoined };
}

async function readText(
  { ledger, directory, signal }: ReadTextsOptions,
  segment: SegmentStored,
): Promise<WebVtt | undefined> {
  signal.throwIfAborted();
  const chunks: Uint8Array[] = [];
  const files = { directory, entries: [segment], checksums: ledger.checksums };
  let bytes = 0;
  for await (const chunk of segmentBytes(files, () => undefined)) {
    bytes += chunk.length;
    if (bytes <= TEXT_BYTES_MAX) chunks.push(chunk);
  }
  return bytes > TEXT_BYTES_MAX ? undefined : parseWebVtt(Buffer.concat(chunks).toString());
}
