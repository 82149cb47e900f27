import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How a service says to the command line beside it where it listens. */
export interface ServiceFile {
  /** `http://127.0.0.1:7331`, `unix:/run/kennel.sock` */
  readonly address: string;
  readonly pid: number;
}

const pathIn = (dataDir: string): string => join(dataDir, 'service.json');

/** Says where the service of this data directory listens. Whole or not at all, whoever reads it meanwhile. */
export function writeServiceFile(dataDir: string, file: ServiceFile): void {
  const path = pathIn(dataDir);
  const draft = `${path}.${file.pid}`;
  writeFileSync(draft, `${JSON.stringify(file)}\n`);
  renameSync(draft, path);
}

/** Idempotent. */
export const removeServiceFile = (dataDir: string): void =>
  rmSync(pathIn(dataDir), { force: true });

/** What the file says; undefined without one, or when it makes no sense. A service that was killed leaves it behind. */
export function readServiceFile(dataDir: string): ServiceFile | undefined {
  try {
    const told: unknown = JSON.parse(readFileSync(pathIn(dataDir), 'utf8'));
    return isServiceFile(told) ? told : undefined;
  } catch {
    return undefined;
  }
}

const isServiceFile = (told: unknown): told is ServiceFile =>
  typeof told === 'object' &&
  told !== null &&
  'address' in told &&
  typeof told.address === 'string' &&
  'pid' in told &&
  typeof told.pid === 'number';
