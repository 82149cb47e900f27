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
import { openDatabase } from '../../src/db/database.ts';

const root = join(import.meta.dirname, '../..');

export const SPEC: JobSpec = {
  url: 'https://example.test/live.m3u8',
  quality: ['best'],
  waitMs: 0,
  patienceMs: 60_000,
  output: '/tmp/out/',
  keepSegments: false,
};

/**
 * A directory for an embedded database, with the database in it: a copy of one that was made once. Making it takes seconds,
 * copying it a tenth of one.
 */
export async function pgliteDirectory(): Promise<string> {
  const template = await pgliteTemplate();
  const directory = mkdtempSync(join(tmpdir(), 'kennel-pglite-'));
  cpSync(template, directory, { recursive: true });
  return directory;
}

async function pgliteTemplate(): Promise<string> {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const migrations = readFileSync(join(root, 'drizzle/meta/_journal.json'));
  const edition = createHash('sha256').update(migrations).digest('hex').slice(0, 8);
  const version = dependencies['@electric-sql/pglite'];
  const template = join(root, '.cache', `pgdata-${version}-${edition}`);
  if (existsSync(template)) return template;
  // Under the template's own name only once it is whole; whoever comes second throws its copy away.
  mkdirSync(join(root, '.cache'), { recursive: true });
  const making = mkdtempSync(`${template}-`);
  const database = await openDatabase({ directory: making, legalMoves: [] });
  await database.close();
  try {
    renameSync(making, template);
  } catch {
    rmSync(making, { recursive: true, force: true });
  }
  return template;
}
