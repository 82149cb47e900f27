import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobSpec } from '../../machines/vocabulary.ts';

const root = join(import.meta.dirname, '../..');

export const SPEC: JobSpec = {
  url: 'https://example.test/live.m3u8',
  quality: ['best'],
  waitMs: 0,
  patienceMs: 60_000,
  output: '/tmp/out/',
  keepSegments: false,
};

/** A directory of its own with an embedded database in it. */
export function pgliteDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kennel-pglite-'));
  copyDatabase(directory);
  return directory;
}

/**
 * Copies an empty embedded database into a data directory. It is made once, by Kennel itself, for each state of the
 * migrations: making it takes seconds, copying it a tenth of one.
 */
export function copyDatabase(dataDir: string): void {
  cpSync(join(template(), 'pgdata'), join(dataDir, 'pgdata'), { recursive: true });
}

function template(): string {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const migrations = readFileSync(join(root, 'drizzle/meta/_journal.json'));
  const edition = createHash('sha256').update(migrations).digest('hex').slice(0, 8);
  const path = join(root, '.cache', `database-${dependencies['@electric-sql/pglite']}-${edition}`);
  if (existsSync(path)) return path;
  // Under the template's own name only once it is whole; whoever comes second throws its copy away.
  mkdirSync(join(root, '.cache'), { recursive: true });
  const making = mkdtempSync(`${path}-`);
  const { PATH = '' } = process.env;
  const env = { PATH, HOME: making, KENNEL_DATA_DIR: making };
  execFileSync(process.execPath, [join(root, 'src/main.ts'), 'jobs'], { env });
  try {
    renameSync(making, path);
  } catch {
    rmSync(making, { recursive: true, force: true });
  }
  return path;
}
