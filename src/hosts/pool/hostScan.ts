import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pidAlive } from '../../process/procfs.ts';
import {
  type HostFile,
  hostFilePathOf,
  readHostFile,
  removeHostFiles,
  SOCKET_SUFFIX,
} from '../host/hostFile.ts';

export interface FoundHost extends HostFile {
  readonly hostId: string;
  readonly socketPath: string;
}

/** Host ids as `newHostId` makes them; nothing else in the directory is touched. */
const HOST_FILE_PATTERN = /^(h-[0-9a-f]{8})\.(?:sock|json|json\.new)$/;
/** Log files of former hosts that are kept for whoever looks into their end. */
const LOGS_KEPT_MAX = 20;

export const newHostId = (): string => `h-${crypto.randomUUID().slice(0, 8)}`;

export const socketPathOf = (directory: string, hostId: string): string =>
  join(directory, hostId + SOCKET_SUFFIX);

/** The living hosts of a directory. What dead ones left there is removed, but nothing of the hosts in `known`. */
export function scanHosts(directory: string, known: ReadonlySet<string>): FoundHost[] {
  const names = readdirSync(directory).map((name) => HOST_FILE_PATTERN.exec(name)?.[1]);
  const living: FoundHost[] = [];
  for (const hostId of new Set(names)) {
    if (hostId === undefined || known.has(hostId)) continue;
    const socketPath = socketPathOf(directory, hostId);
    const file = readHostFile(hostFilePathOf(socketPath));
    if (file !== undefined && pidAlive(file.pid, file.startTicks)) {
      living.push({ ...file, hostId, socketPath });
    } else removeHostFiles(socketPath);
  }
  return living;
}

/** Removes the oldest log files of former hosts. */
export function pruneHostLogs(logDirectory: string, living: ReadonlySet<string>): void {
  const logs = readdirSync(logDirectory)
    .filter((name) => /^h-[0-9a-f]{8}\.log$/.test(name) && !living.has(name.slice(0, -4)))
    .map((name) => ({ path: join(logDirectory, name) }))
    .map(({ path }) => ({ path, at: statSync(path).mtimeMs }))
    .sort((one, other) => other.at - one.at);
  for (const { path } of logs.slice(LOGS_KEPT_MAX)) rmSync(path, { force: true });
}
