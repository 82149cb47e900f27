import type { TrackCount } from './muxResult.ts';

/**
 * Counts the packets in ffmpeg's `framecrc` output while it is printed: `#media_type 0: video` announces a stream, and each
 * other line is one packet that begins with the number of its stream.
 */
export function countFrames(): { read(text: string): void; counts(): TrackCount[] } {
  const streams = new Map<string, { kind: 'video' | 'audio'; packets: number }>();
  let rest = '';
  const readLine = (line: string): void => {
    const header = /^#media_type (\d+): (video|audio)$/.exec(line);
    if (header?.[1] !== undefined) {
      streams.set(header[1], { kind: header[2] === 'audio' ? 'audio' : 'video', packets: 0 });
    } else if (!line.startsWith('#')) {
      const stream = streams.get(line.slice(0, line.indexOf(',')).trim());
      if (stream !== undefined) stream.packets++;
    }
  };
  return {
    read(text) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) readLine(line);
    },
    counts: () => [...streams.values()],
  };
}
