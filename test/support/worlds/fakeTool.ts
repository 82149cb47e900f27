import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeSet, setDirectory } from '../origin/mediaSet.ts';

/**
 * What a fake program does wrong. `ignoresSignals`: only SIGKILL ends it. `detaches`: leaves a child in a session of its own that holds its
 * pipes; `detachesWithoutMarks`: the same, with an empty environment. `floodsStderr`. `muxes`: records a while, then muxes in its
 * work directory. `leavesFiles`. `oneWindow`: exits 0 after what was there. `exitsEmpty`: exits 0 with nothing. `crashes`: by a signal, after a
 * random while. `eatsMemory`. `spinsCpu`. `silentStart`: never puts anything out. `hangsMidway`: falls silent after a while.
 */
export const MISDEEDS = [
  'none',
  'ignoresSignals',
  'detaches',
  'detachesWithoutMarks',
  'floodsStderr',
  'muxes',
  'leavesFiles',
  'oneWindow',
  'exitsEmpty',
  'crashes',
  'eatsMemory',
  'spinsCpu',
  'silentStart',
  'hangsMidway',
] as const;
export type Misdeed = (typeof MISDEEDS)[number];

export type FakeName = 'yt-dlp' | 'ffmpeg' | 'streamlink';

export interface FakeToolOptions {
  readonly as: FakeName;
  readonly misdeed: Misdeed;
  /** The real ffmpeg: what a fake one leaves Kennel's own muxing to, and what a fake that muxes starts. */
  readonly ffmpeg: string;
  /** The real program that it wraps, doing its misdeed beside. Default: it plays the show itself. */
  readonly around?: string;
  /** When misdeeds that wait are done, seconds after its start. Default: 2. */
  readonly afterSeconds?: number;
  /** How much of the show it puts out at once. Default: 3. */
  readonly windowSeconds?: number;
  /** How many processes spin. Default: 2. */
  readonly cores?: number;
}

export interface FakeTool {
  /** Executable; for KENNEL_YTDLP, KENNEL_FFMPEG or KENNEL_STREAMLINK. */
  readonly path: string;
  /** Stands in the arguments of every process that it leaves behind, and nowhere else. */
  readonly token: string;
  /** The name of the set that it plays: position 0 is what was on when it was made, one a second. */
  readonly set: string;
  /** Programs of it that start from now on behave. */
  reform(): void;
  remove(): void;
}

const SET = 'ts';
const VERSIONS: Readonly<Record<FakeName, string>> = {
  'yt-dlp': '2025.11.12',
  ffmpeg: '7.1.2',
  streamlink: '7.6.0',
};

/** The environment variable that names such a program to Kennel. */
export const FAKE_VARIABLE: Readonly<Record<FakeName, string>> = {
  'yt-dlp': 'KENNEL_YTDLP',
  ffmpeg: 'KENNEL_FFMPEG',
  streamlink: 'KENNEL_STREAMLINK',
};

/** Writes the program, in one file with its media, into a directory of its own. */
export function makeFakeTool(options: FakeToolOptions): FakeTool {
  const { as, misdeed, ffmpeg, around, afterSeconds = 2, windowSeconds = 3, cores = 2 } = options;
  const directory = mkdtempSync(join(tmpdir(), 'kennel-fake-'));
  const token = `fake-${randomUUID()}`;
  const orders = {
    ...{ as, misdeed, ffmpeg, around, afterSeconds, windowSeconds, cores, token },
    version: VERSIONS[as],
    // As if the stream had been on for a window before anybody came.
    epochMs: Date.now() - windowSeconds * 1_000,
  };
  const media = describeSet(SET).segments.map(({ file }) =>
    readFileSync(join(setDirectory(SET), file)).toString('base64'),
  );
  const code = readFileSync(join(import.meta.dirname, 'tools', 'fakeTool.mjs'), 'utf8');
  const path = join(directory, `${as}.mjs`);
  const write = (told: object) => {
    const fresh = `${path}.new`;
    const head = `globalThis.fakeTool = ${JSON.stringify({ ORDERS: told, MEDIA: media })};`;
    writeFileSync(fresh, `#!${process.execPath}\n${head}\n${code}`, { mode: 0o755 });
    renameSync(fresh, path);
  };
  write(orders);
  return {
    path,
    token,
    set: SET,
    reform: () => write({ ...orders, misdeed: 'none' }),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
