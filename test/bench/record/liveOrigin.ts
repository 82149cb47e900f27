import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';
import { describeSet } from '../../support/origin/mediaSet.ts';

const MAIN = join(import.meta.dirname, '../../support/origin/main.ts');
const SET = 'ts';

/**
 * How long a segment stays in the playlist, seconds: ffmpeg and Kennel look once a second at these segments of one second,
 * and none may lose any because this machine is busy.
 */
const WINDOW_S = 10;

const announcement = z.object({ playlists: z.array(z.string()).min(1) });

export interface LiveOrigin {
  readonly url: string;
  /** What the stream brings, bits per second of real time. */
  readonly bitsPerSecond: number;
  /** Mean size of a segment, bytes. */
  readonly segmentBytes: number;
  readonly segmentsPerSecond: number;
  stop(): Promise<void>;
}

/**
 * Starts the synthetic origin in a process of its own, where measuring does not keep it from serving.
 *
 * @param rate how many times faster than real time its segments appear
 */
export async function liveOrigin(rate: number): Promise<LiveOrigin> {
  const { segmentMs, segments } = describeSet(SET);
  const segmentsPerSecond = (rate * 1_000) / segmentMs;
  const window = String(Math.ceil(segmentsPerSecond * WINDOW_S));
  const args = [MAIN, '--set', SET, '--rate', String(rate), '--window', window];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  const [url = ''] = announcement.parse(JSON.parse(String(line))).playlists;
  const segmentBytes = segments.reduce((all, { bytes }) => all + bytes, 0) / segments.length;
  return {
    url,
    segmentBytes,
    segmentsPerSecond,
    bitsPerSecond: segmentBytes * 8 * segmentsPerSecond,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
