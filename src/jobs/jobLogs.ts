import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../core/errors.ts';

/** From the end of each file, bytes: some ten thousand lines, and a job's last hours. */
const TAIL_BYTES_MAX = 8 * 1024 * 1024;
/** The newest files: the node's own, and those of its hosts. */
const FILES_MAX = 32;

type Line = Readonly<Record<string, unknown>>;

/**
 * The last lines that the node and its recorder hosts wrote about a job, oldest first.
 *
 * @param directory of the logs: pino's JSON, one object a line
 */
export async function jobLogs(
  directory: string,
  { jobId, lines: linesMax }: { readonly jobId: string; readonly lines: number },
): Promise<readonly Line[]> {
  const needle = JSON.stringify(jobId);
  const lines: Line[] = [];
  for (const name of await newestLogs(directory)) {
    const text = await tailOf(join(directory, name));
    for (const line of text.split('\n')) {
      if (!line.includes(needle)) continue;
      const parsed = parsedLine(line);
      if (parsed?.['jobId'] === jobId) lines.push(parsed);
    }
  }
  return lines.sort((one, other) => timeOf(one) - timeOf(other)).slice(-linesMax);
}

async function newestLogs(directory: string): Promise<string[]> {
  try {
    const names = (await readdir(directory)).filter((name) => /\.(log|log\.1)$/.test(name));
    // The names of hosts' logs begin with when the host began, so the newest come last.
    return names.sort().slice(-FILES_MAX);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function tailOf(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const start = Math.max(0, size - TAIL_BYTES_MAX);
    const buffer = Buffer.alloc(size - start);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    // It was rotated away since.
    if (systemCodeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

/** Undefined for the first line of a tail, which may begin in its middle. */
function parsedLine(text: string): Line | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === 'object' && line !== null ? (line as Line) : undefined;
  } catch {
    return undefined;
  }
}

/** The node writes milliseconds, its hosts dates. */
const timeOf = ({ time }: Line): number =>
  typeof time === 'number' ? time : typeof time === 'string' ? Date.parse(time) : 0;
