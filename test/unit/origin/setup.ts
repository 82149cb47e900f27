import { onTestFinished } from 'vitest';
import { type Origin, startOrigin } from '../../support/origin/origin.ts';
import type { StreamOptions } from '../../support/origin/streamOptions.ts';
import { type RawAnswer, rawGet } from './rawGet.ts';

export interface Bundle {
  readonly origin: Origin;
  /** Moves the origin's clock. */
  advance(ms: number): void;
  playlist(): Promise<RawAnswer>;
  /** The playlist's segment addresses. */
  shown(): Promise<string[]>;
  segment(file: string): Promise<RawAnswer>;
}

/** A fresh origin with one stream, `live`, whose clock stands still until it is moved. */
export async function setup(options: StreamOptions = {}): Promise<Bundle> {
  let now = 0;
  const origin = await startOrigin({ now: () => now, streams: { live: options } });
  onTestFinished(() => origin.stop());
  const playlist = (): Promise<RawAnswer> => rawGet(origin.playlistUrl('live'));
  return {
    origin,
    advance: (ms) => {
      now += ms;
    },
    playlist,
    shown: async () =>
      (await playlist()).body
        .toString()
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#')),
    segment: (file) => rawGet(`${origin.url}/live/live/${file}`),
  };
}
