import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import { startTicksOf } from '../../process/procfs.ts';

/** Marks a node's hosts in their environment; the value is the node's run directory. */
export const NODE_MARKER = 'KENNEL_NODE';

/**
 * Of V8's nursery, MiB. Measured with 300 streams: 1 costs 2.5 ms of CPU for each segment and 127 MB, 4 costs 1.7 ms and
 * 148 MB, 16 (the default) 1.5 ms and 201 MB.
 */
const NODE_OPTIONS = ['--max-semi-space-size=4'];

/**
 * For glibc (others ignore it): buffers of 128 KiB are mapped, and given back when they are freed. By default glibc takes
 * them from its heap once the first was freed, and the burst in which streams begin stays there for ever: 200 MB instead of
 * 100 MB with 50 streams. One arena, because only the event loop's thread allocates much.
 */
const MALLOC_SETTINGS = {
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_ARENA_MAX: '1',
};

export interface SpawnHostOptions {
  readonly hostId: string;
  /** The node's run directory, resolved. */
  readonly node: string;
  readonly socketPath: string;
  readonly logDirectory: string;
  readonly execPath: string;
  readonly entry: string;
  readonly orphanGraceMs: number | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

/** A process that is, or was, a host. */
export interface HostProcess {
  readonly pid: number;
  readonly startTicks?: number | undefined;
  /** How it ended (`{ code }`, `{ signal }`, `{ error }`); absent when it is no child of ours, so nobody tells us. */
  readonly ending?: Promise<Readonly<Record<string, unknown>>>;
}

/**
 * Starts a host process in a group of its own that does not end with this one. Throws when the log file cannot be opened
 * or no process can be made.
 */
export function spawnHost(options: SpawnHostOptions): HostProcess {
  const { hostId, node, socketPath, logDirectory, execPath, entry, orphanGraceMs } = options;
  const logFile = openSync(join(logDirectory, `${hostId}.log`), 'a', 0o600);
  try {
    const grace = orphanGraceMs === undefined ? [] : ['--orphan-grace-ms', String(orphanGraceMs)];
    const who = ['--id', hostId, '--node', node, '--socket', socketPath];
    const args = [...NODE_OPTIONS, entry, ...who, ...grace];
    const child = spawn(execPath, args, {
      detached: true,
      stdio: ['ignore', logFile, logFile],
      env: { ...MALLOC_SETTINGS, ...options.environment, [NODE_MARKER]: node },
    });
    child.unref();
    const ending = new Promise<Readonly<Record<string, unknown>>>((resolve) => {
      child.on('exit', (code, signal) => resolve(code === null ? { signal } : { code }));
      child.on('error', (error) => resolve({ error: messageOf(error) }));
    });
    const { pid } = child;
    if (pid === undefined) throw new Error(`No process could be made from ${execPath}.`);
    return { pid, startTicks: startTicksOf(pid), ending };
  } finally {
    closeSync(logFile);
  }
}
