import type { SetDescription } from '../../support/origin/mediaSet.ts';
import { startOrigin } from '../../support/origin/origin.ts';
import { startDashWorld } from '../../support/worlds/dashWorld.ts';
import { startFileWorld } from '../../support/worlds/fileWorld.ts';
import { startPageWorld } from '../../support/worlds/pageWorld.ts';
import { startRtmpWorld } from '../../support/worlds/rtmpWorld.ts';
import { startRtspWorld } from '../../support/worlds/rtspWorld.ts';
import { startSrtWorld } from '../../support/worlds/srtWorld.ts';
import { type FoundWorldTools, need } from '../../support/worlds/worldTools.ts';

/** One of the ten. */
export interface MixedSource {
  readonly name: string;
  readonly url: string;
  readonly recorder?: string;
  readonly truth: SetDescription | 'ts';
  /** Ends by itself, before the duration is over. */
  readonly isFile?: boolean;
}

export interface MixedSources {
  readonly sources: readonly MixedSource[];
  /** What could not be served, and why. */
  readonly missing: readonly string[];
  close(): Promise<void>;
}

/** The file is a minute long; at this rate it takes about as long to come. */
const FILE_BYTES_PER_SECOND = 20_000;

/** Ten sources of all kinds that this machine can serve, each on servers of its own. */
export async function mixedSources(tools: FoundWorldTools): Promise<MixedSources> {
  const { ffmpeg = 'ffmpeg' } = tools.found;
  const origin = await startOrigin({ streams: { ts: { set: 'ts', window: 10 } } });
  const hls = origin.playlistUrl('ts');
  const pages = await startPageWorld({ media: hls, tokenMs: 40_000 });
  const closes: (() => Promise<void>)[] = [() => pages.close(), () => origin.stop()];
  const sources: MixedSource[] = [{ name: 'native HLS', url: hls, truth: 'ts' }];
  const missing: string[] = [];
  const offer = async (
    name: string,
    wanted: Parameters<typeof need>[1][],
    make: () => Promise<Omit<MixedSource, 'name'>>,
  ) => {
    const needed = need(tools, ...wanted);
    if ('why' in needed) missing.push(`${name}: ${needed.why}`);
    else sources.push({ name, ...(await make()) });
  };
  const open = async <W extends { close(): Promise<void> }>(world: Promise<W>): Promise<W> => {
    const opened = await world;
    closes.push(() => opened.close());
    return opened;
  };
  const of = ({ url, truth }: { url: string; truth: SetDescription }) => ({ url, truth });
  const page = { truth: 'ts' as const };
  await offer('page to native', ['ytDlp'], async () => ({ ...page, url: `${pages.url}/watch` }));
  await offer('page with tokens to native', ['ytDlp'], async () => ({
    ...page,
    url: `${pages.url}/token`,
  }));
  await offer('yt-dlp', ['ytDlp', 'ffmpeg'], async () => ({
    ...page,
    url: `${pages.url}/watch`,
    recorder: 'yt-dlp',
  }));
  await offer('ffmpeg HLS', ['ffmpeg'], async () => ({ ...page, url: hls, recorder: 'ffmpeg' }));
  await offer('streamlink', ['streamlink'], async () => ({
    ...page,
    url: hls,
    recorder: 'streamlink',
  }));
  await offer('RTMP', ['ffmpeg', 'nginx', 'rtmpModule'], async () => {
    const { nginx = '', rtmpModule = '' } = tools.found;
    return of(await open(startRtmpWorld({ ffmpeg, nginx, module: rtmpModule })));
  });
  await offer('RTSP', ['ffmpeg', 'rtspPython'], async () =>
    of(await open(startRtspWorld({ ffmpeg, python: tools.found.rtspPython ?? '' }))),
  );
  await offer('DASH', ['ffmpeg', 'dash'], async () => of(await open(startDashWorld({ ffmpeg }))));
  await offer('SRT', ['ffmpeg', 'srt'], async () => of(await open(startSrtWorld({ ffmpeg }))));
  await offer('file', ['ffmpeg'], async () => {
    const world = startFileWorld({ ffmpeg, bytesPerSecond: FILE_BYTES_PER_SECOND });
    const { tsUrl, truth } = await open(world);
    return { url: tsUrl, truth, isFile: true };
  });
  return {
    sources,
    missing,
    close: async () => {
      for (const close of closes.reverse()) await close();
    },
  };
}
