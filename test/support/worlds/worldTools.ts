import { access } from 'node:fs/promises';
import { execa } from 'execa';
import { type Tool, toolPath, whyMissing } from '../tools.ts';

/** A program that cannot print its version in this time is not usable for tests, milliseconds. */
const PROBE_TIMEOUT_MS = 20_000;

const RTMP_MODULES = [
  '/usr/lib/nginx/modules/ngx_rtmp_module.so',
  '/usr/lib64/nginx/modules/ngx_rtmp_module.so',
];
const NGINX = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'];
/** Where Debian's python3-gi works; another Python on the path would not see it. */
const PYTHON = ['/usr/bin/python3'];

/** What some worlds need and what some tests need, where it is there; otherwise the reason why not. */
export interface WorldTools {
  readonly ffmpeg: string;
  readonly ytDlp: string;
  readonly streamlink: string;
  readonly nginx: string;
  readonly rtmpModule: string;
  /** A Python that has GStreamer's RTSP server. */
  readonly rtspPython: string;
  /** ffmpeg itself, when it can SRT, DASH, or encode VP9 and Opus. */
  readonly srt: string;
  readonly dash: string;
  readonly vp9: string;
  /** A Python for the fake programs. */
  readonly python: string;
}
export type WorldTool = keyof WorldTools;

export interface FoundWorldTools {
  readonly found: Partial<WorldTools>;
  /** What is missing, and why. */
  readonly missing: Partial<Record<WorldTool, string>>;
}

/** Looks for everything once. */
export async function findWorldTools(): Promise<FoundWorldTools> {
  const found: Partial<Record<WorldTool, string>> = {};
  const missing: Partial<Record<WorldTool, string>> = {};
  const note = (tool: WorldTool, path: string | undefined, why: string) => {
    if (path === undefined) missing[tool] = why;
    else found[tool] = path;
  };
  const ordinary = async (name: WorldTool, tool: Tool) =>
    note(name, await toolPath(tool), (await whyMissing(tool)) ?? '');
  await Promise.all([
    ordinary('ffmpeg', 'ffmpeg'),
    ordinary('ytDlp', 'yt-dlp'),
    ordinary('streamlink', 'streamlink'),
  ]);
  note('nginx', await firstThere(NGINX), 'no nginx (Debian: nginx-light)');
  note('rtmpModule', await firstThere(RTMP_MODULES), 'no RTMP module (Debian: libnginx-mod-rtmp)');
  const python = await firstThere(PYTHON);
  note('python', python, 'no /usr/bin/python3');
  note(
    'rtspPython',
    python !== undefined && (await hasRtspServer(python)) ? python : undefined,
    'no GStreamer RTSP server (Debian: python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good)',
  );
  for (const [tool, [list, word, why]] of Object.entries(FFMPEG_ABILITIES)) {
    const can = found.ffmpeg !== undefined && (await prints({ file: found.ffmpeg, list, word }));
    // The keys of a record of WorldTool, which Object.entries does not tell.
    note(tool as WorldTool, can ? found.ffmpeg : undefined, why);
  }
  return { found, missing };
}

const FFMPEG_ABILITIES: Readonly<
  Record<'srt' | 'dash' | 'vp9', readonly [string, RegExp, string]>
> = {
  srt: ['-protocols', /^\s*srt$/m, 'this ffmpeg has no SRT'],
  dash: ['-demuxers', /\sdash\s/, 'this ffmpeg cannot read DASH'],
  vp9: ['-encoders', /libvpx-vp9/, 'this ffmpeg cannot encode VP9'],
};

async function prints(asked: {
  readonly file: string;
  readonly list: string;
  readonly word: RegExp;
}): Promise<boolean> {
  const { stdout } = await execa(asked.file, ['-hide_banner', asked.list], {
    reject: false,
    timeout: PROBE_TIMEOUT_MS,
  });
  return asked.word.test(stdout);
}

async function hasRtspServer(python: string): Promise<boolean> {
  const look =
    "import gi; gi.require_version('GstRtspServer','1.0'); from gi.repository import Gst, GstRtspServer; " +
    "Gst.init(None); missing=[e for e in ('tsdemux','h264parse','rtph264pay','rtpmp4gpay') if not Gst.ElementFactory.find(e)]; exit(len(missing))";
  const result = await execa(python, ['-c', look], { reject: false, timeout: PROBE_TIMEOUT_MS });
  return !result.failed;
}

async function firstThere(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

/** The tools that a test needs, or why it does not run. */
export function need<const Wanted extends WorldTool>(
  { found, missing }: FoundWorldTools,
  ...wanted: readonly Wanted[]
): { readonly tools: Pick<WorldTools, Wanted> } | { readonly why: string } {
  const absent = wanted.filter((tool) => found[tool] === undefined);
  if (absent.length > 0) return { why: absent.map((tool) => missing[tool]).join('; ') };
  // Each of them was just seen to be there.
  return { tools: found as Pick<WorldTools, Wanted> };
}
