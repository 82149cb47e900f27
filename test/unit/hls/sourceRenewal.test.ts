import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { LinkSource, type Resolution } from '../../../src/hls/source/linkSource.ts';
import { PlaylistSource } from '../../../src/hls/source/playlistSource.ts';
import { leanTransport } from '../../../src/hls/transport/leanTransport.ts';
import type { TransportRequest } from '../../../src/hls/transport/transport.ts';
import { type Answer, playlistText } from './streamRecorderOrigin.ts';
import { originFor, until } from './streamRecorderSetup.ts';

/** One source of one track, asked by hand, on a clock that is moved by hand. */
async function setup(
  answer: (requested: string) => Answer | undefined,
  addressIn: (resolution: Resolution, link: URL) => URL | undefined = ({ variant }, link) =>
    variant?.url ?? link,
) {
  const origin = await originFor(answer);
  const lean = leanTransport();
  let underWay = 0;
  const get = async (request: TransportRequest) => {
    underWay++;
    return await lean.get(request).finally(() => underWay--);
  };
  const transport = { ...lean, get };
  const settled = async () => await until(() => underWay === 0);
  const life = new AbortController();
  onTestFinished(() => {
    life.abort();
    lean.close();
  });
  const passed = { ms: 0 };
  const clock = { ...systemClock, elapsed: () => passed.ms };
  const parts = { transport, clock, life: life.signal };
  const url = new URL(`${origin.url}/live.m3u8`);
  const link = new LinkSource({ ...parts, url, quality: ['best'], recorded: () => undefined });
  const source = new PlaylistSource({
    ...parts,
    link,
    address: (resolution) => addressIn(resolution, url),
  });
  const poll = async (signal: AbortSignal = life.signal) =>
    await source.poll({ signal, timeoutMs: 5_000, cut: () => undefined });
  /** Polls once a second for so many seconds; what a poll began beside itself has come back before the next. */
  const pollFor = async (seconds: number, between: () => void = () => undefined) => {
    for (let second = 0; second < seconds; second++) {
      passed.ms += 1_000;
      await poll().catch(() => undefined);
      await settled();
      between();
    }
  };
  const asked = (path: string) => origin.asked.filter((one) => one === path).length;
  return { source, poll, pollFor, passed, asked, settled };
}

const masterOf = (address: string) => `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n${address}\n`;

describe('an address that has failed', () => {
  it('is asked for again when the newer one has failed as well', async () => {
    const now = { link: 1, good: 1 };
    const { pollFor, poll } = await setup((requested) => {
      if (requested === '/live.m3u8') return masterOf(`v${now.link}.m3u8`);
      return requested === `/v${now.good}.m3u8`
        ? playlistText({ first: now.good, count: 3 })
        : { status: 403 };
    });
    await poll();
    Object.assign(now, { link: 2, good: 3 });
    await pollFor(8);
    now.link = 3;
    await pollFor(20);
    expect(await poll()).toBe('unchanged');
  });

  it('is asked for again when its host does not answer any more', async () => {
    const edges = await Promise.all(
      [1, 2].map((number) => originFor(() => playlistText({ first: number, count: 3 }))),
    );
    const now = { edge: 0 };
    const { pollFor, poll } = await setup(() => masterOf(`${edges[now.edge]?.url}/v.m3u8`));
    expect(await poll()).toMatchObject({ mediaSequence: 1 });
    await edges[0]?.close();
    now.edge = 1;
    await pollFor(8);
    expect(await poll()).toBe('unchanged');
  });

  it('is asked for less and less often while the segments behind all of them are refused', async () => {
    const { source, pollFor, poll, asked } = await setup((requested) =>
      requested === '/live.m3u8' ? masterOf('v.m3u8') : playlistText({ first: 0, count: 3 }),
    );
    await poll();
    await pollFor(120, () => {
      for (let refusal = 0; refusal < 3; refusal++) source.segmentEnded('refused');
    });
    expect(asked('/live.m3u8')).toBeGreaterThan(3);
    expect(asked('/live.m3u8')).toBeLessThan(10);
  });

  it('is asked for less and less often while the link names no such track', async () => {
    const { pollFor, asked } = await setup(
      () => masterOf('v.m3u8'),
      () => undefined,
    );
    await pollFor(120);
    expect(asked('/live.m3u8')).toBeGreaterThan(3);
    expect(asked('/live.m3u8')).toBeLessThan(10);
  });
});

describe('what the link said before anybody used it', () => {
  /** The link is asked by a poll that is let go of before it can use the answer. */
  async function askedInVain({ poll, settled }: Awaited<ReturnType<typeof setup>>) {
    const leaving = new AbortController();
    const left = poll(leaving.signal);
    leaving.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    await settled();
  }

  it('is no playlist of now, where it is a media playlist', async () => {
    const now = { first: 0 };
    const parts = await setup(() => playlistText({ first: now.first, count: 3 }));
    await askedInVain(parts);
    now.first = 5_000;
    parts.passed.ms += 1_000;
    expect(await parts.poll()).toMatchObject({ mediaSequence: 5_000 });
  });

  it('is asked again when it was long ago: its addresses may have run out', async () => {
    const now = { pass: 1 };
    const parts = await setup((requested) => {
      if (requested === '/live.m3u8') return masterOf(`v.m3u8?pass=${now.pass}`);
      return requested.endsWith(`=${now.pass}`) ? playlistText({ first: 0, count: 3 }) : undefined;
    });
    await askedInVain(parts);
    now.pass = 2;
    parts.passed.ms += 3_600_000;
    expect(await parts.poll()).toMatchObject({ mediaSequence: 0 });
  });
});
