import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { startTicksOf } from '../../process/procfs.ts';

const hostFile = z.object({
  pid: z.number().int().positive(),
  /** Clock ticks since boot; tells the host from another process that has got its pid since. */
  startTicks: z.number().exactOptional(),
  /** Milliseconds since the epoch. */
  startedAt: z.number(),
});

/** What a host writes beside its socket, so that a later supervisor can find it, or know that it is gone. */
export type HostFile = z.infer<typeof hostFile>;

export const SOCKET_SUFFIX = '.sock';
export const HOST_FILE_SUFFIX = '.json';

export const hostFilePathOf = (socketPath: string): string =>
  socketPath.slice(0, -SOCKET_SUFFIX.length) + HOST_FILE_SUFFIX;

/** Writes this process down as the host of a socket. Written whole or not at all. */
export function writeHostFile(socketPath: string, startedAt: number): void {
  const startTicks = startTicksOf(process.pid);
  const content: HostFile = {
    pid: process.pid,
    ...(startTicks === undefined ? {} : { startTicks }),
    startedAt,
  };
  const path = hostFilePathOf(socketPath);
  writeFileSync(`${path}.new`, JSON.stringify(content), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Undefined for a file that is not there, or is no host file. */
export function readHostFile(path: string): HostFile | undefined {
  try {
    return hostFile.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

/** The socket goes first: a socket without a host file is then always a leftover. */
export function removeHostFiles(socketPath: string): void {
  rmSync(socketPath, { force: true });
  rmSync(hostFilePathOf(socketPath), { force: true });
  rmSync(`${hostFilePathOf(socketPath)}.new`, { force: true });
}
