import { ContainerCheck, invalid, sniffContainer } from '../../recording/files/container.ts';
import type { UnitReader, UnitSink } from './mediaUnit.ts';
import { Mp4Reader } from './mp4Reader.ts';
import { TsReader } from './tsReader.ts';

/** What an output is told by, bytes. */
export const SNIFF_BYTES = 16;

/**
 * The reader for an output that begins so. Throws `segment.invalid`, with what it looks like, when it is neither MPEG-TS nor MP4.
 * `nearMs`: what was stored last, on the clock of earlier runs.
 */
export function openReader(start: Buffer, sink: UnitSink, nearMs: number | undefined): UnitReader {
  const container = sniffContainer(start);
  if (container === 'ts') return new TsReader(sink, nearMs);
  if (container === 'fmp4') return new Mp4Reader(sink);
  if (container !== undefined)
    throw invalid(`it is ${container}, not ts or fmp4`, { looksLike: container });
  const check = new ContainerCheck('any');
  check.feed(start);
  check.finish();
  throw invalid('it is no media', { looksLike: 'unknown' });
}
