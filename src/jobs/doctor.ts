import { access, constants, mkdir, statfs } from 'node:fs/promises';
import type { Config } from '../config/schema.ts';
import { messageOf } from '../core/errors.ts';
import { findFfmpeg } from '../media/findFfmpeg.ts';

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
    await checkFfmpeg(config),
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

async function checkFfmpeg({ ffmpeg: given, searchPath }: Config): Promise<Finding> {
  const ffmpeg = await findFfmpeg({ searchPath, ...(given !== undefined && { given }) });
  if (ffmpeg)
    return { check: 'ffmpeg', verdict: 'good', found: `${ffmpeg.version} at ${ffmpeg.path}` };
  return {
    check: 'ffmpeg',
    verdict: 'fair',
    found: 'not found: the embedded muxer works, at about seven times the CPU, without thumbnails',
    advice: 'Debian: apt-get install ffmpeg; or set KENNEL_FFMPEG.',
  };
}
