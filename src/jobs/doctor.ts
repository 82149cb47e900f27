import { access, constants, mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeCage } from '../cage/describeCage.ts';
import { openCage } from '../cage/openCage.ts';
import type { Config } from '../config/schema.ts';
import { systemClock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { findTools } from '../programs/findTools.ts';
import { isAtLeast } from '../programs/plugins/versionOrder.ts';
import { PLUGINS } from '../programs/plugins.ts';
import type { FoundTool, ToolRequirement } from '../programs/recorderPlugin.ts';

export interface Finding {
  readonly check: string;
  /** `bad` keeps Kennel from recording; `fair` costs speed or comfort. */
  readonly verdict: 'good' | 'fair' | 'bad';
  readonly found: string;
  readonly advice?: string;
}

const NODE_MAJOR_MIN = 26;
const FREE_BYTES_MIN = 1_000_000_000;

/**
 * Looks whether this machine can record, and what would make it better.
 *
 * @param openDatabase opens the database as a recording would, and closes it; rejects when it cannot be used
 */
export async function examine(
  config: Config,
  openDatabase: () => Promise<void>,
): Promise<Finding[]> {
  return [
    checkNode(),
    await checkDataDirectory(config),
    await checkDatabase(config, openDatabase),
    ...(await checkTools(config)),
    await checkCage(config),
  ];
}

function checkNode(): Finding {
  const isNew = Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN;
  return {
    check: 'node',
    verdict: isNew ? 'good' : 'bad',
    found: process.versions.node,
    ...(!isNew && {
      advice: `Node ${NODE_MAJOR_MIN} or newer runs Kennel; npm scripts bring it along.`,
    }),
  };
}

async function checkDataDirectory({ dataDir }: Config): Promise<Finding> {
  const check = 'data directory';
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await access(dataDir, constants.W_OK);
    const { bavail, bsize } = await statfs(dataDir);
    const free = bavail * bsize;
    const found = `${dataDir}, ${Math.round(free / 1e9)} GB free`;
    if (free >= FREE_BYTES_MIN) return { check, verdict: 'good', found };
    return { check, verdict: 'fair', found, advice: 'There is room for minutes, not hours.' };
  } catch (error) {
    const advice = 'Choose one that can be written with --data-dir or KENNEL_DATA_DIR.';
    return { check, verdict: 'bad', found: messageOf(error), advice };
  }
}

async function checkDatabase(config: Config, openDatabase: () => Promise<void>): Promise<Finding> {
  const check = 'database';
  const kind = config.databaseUrl ? 'PostgreSQL' : 'embedded';
  try {
    await openDatabase();
    return {
      check,
      verdict: 'good',
      found: `${kind}: opens, is up to date, commits reach the disk`,
    };
  } catch (error) {
    return { check, verdict: 'bad', found: `${kind}: ${messageOf(error)}` };
  }
}

/** What is done without a tool. A missing one is never bad: HLS is recorded and finished by Kennel itself. */
const WITHOUT: Readonly<Record<string, string>> = {
  ffmpeg:
    'not found: HLS is muxed at about seven times the CPU, without thumbnails, and RTMP, RTSP, SRT and most files are not recorded',
  'yt-dlp': 'not found: pages are not recorded, only the links of streams and files',
  streamlink:
    'not found: live DASH is recorded badly, and live sites that yt-dlp does not know not at all',
};

/** Looks for the programs that record, and asks each for its version. */
export async function checkTools({
  searchPath,
  ffmpeg,
  ytDlp,
  streamlink,
}: Config): Promise<Finding[]> {
  const given = { ffmpeg, 'yt-dlp': ytDlp, streamlink };
  const found = await findTools({ searchPath, given });
  return PLUGINS.map(({ tool }) => toolFinding(tool, found.get(tool.command)));
}

/** What the doctor says of one program. */
export function toolFinding(requirement: ToolRequirement, tool: FoundTool | undefined): Finding {
  const { command: check, minimum, advised, advice } = requirement;
  if (tool === undefined) {
    const found = WITHOUT[check] ?? 'not found: what only it can record is not recorded';
    return { check, verdict: 'fair', found, advice };
  }
  const found = `${tool.version} at ${tool.path}`;
  if (!isAtLeast(tool.version, minimum.version)) {
    const why = `not used, as ${minimum.version} is needed: ${minimum.because}`;
    return { check, verdict: 'fair', found: `${found}; ${why}`, advice };
  }
  if (advised === undefined || isAtLeast(tool.version, advised.version))
    return { check, verdict: 'good', found };
  const why = `old, ${advised.version} is better: ${advised.because}`;
  return { check, verdict: 'fair', found: `${found}; ${why}`, advice };
}

/** Builds the cage as a recording would. Its files go elsewhere, as the data directory may not be writable. */
export async function checkCage({ sandbox, searchPath }: Config): Promise<Finding> {
  const runDirectory = await mkdtemp(join(tmpdir(), 'kennel-doctor-'));
  try {
    const cage = await openCage({
      mode: sandbox,
      searchPath,
      nodePath: process.execPath,
      runDirectory,
      clock: systemClock,
      log: () => {},
    });
    cage.close();
    return { check: 'cage', ...describeCage(cage.report, sandbox) };
  } finally {
    await rm(runDirectory, { recursive: true, force: true });
  }
}
