import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import { startTicksOf } from '../../process/procfs.ts';

/** Marks a node's hosts in their environment; the value is the node's run directory. */
export const NODE_MARKER = 'KENNEL_NODE';

export interface SpawnHostOptions {
  readonly hostId: string;
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
  const { hostId, socketPath, logDirectory, execPath, entry, orphanGraceMs, environment } = options;
  const logFile = openSync(join(logDirectory, `${hostId}.log`), 'a', 0o600);
  try {
    const grace = orphanGraceMs === undefined ? [] : ['--orphan-grace-ms', String(orphanGraceMs)];
    const child = spawn(execPath, [entry, '--id', hostId, '--socket', socketPath, ...grace], {
      detached: true,
      stdio: ['ignore', logFile, logFile],
      env: { ...environment },
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
