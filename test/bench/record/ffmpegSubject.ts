import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ended, Subject } from './subject.ts';

/** `ffmpeg -i URL -c copy out.ts`, as people record with it. */
export function ffmpegSubject(ffmpeg: string, url: string): Subject {
  const directory = mkdtempSync(join(tmpdir(), 'kennel-bench-ffmpeg-'));
  const file = join(directory, 'out.ts');
  const child = spawn(ffmpeg, ['-loglevel', 'error', '-i', url, '-c', 'copy', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => {
      const lines = errors.split('\n').filter((line) => line !== '');
      resolve({ exitCode, said: `${lines.length} lines of errors` });
    });
  });
  const roots = child.pid === undefined ? [] : [child.pid];
  return {
    name: 'ffmpeg -c copy',
    parts: [{ name: 'ffmpeg -c copy', role: 'whole', pids: (table) => table.treesOf(roots) }],
    taken: async () => ({
      bytes: statSync(file, { throwIfNoEntry: false })?.size ?? 0,
      segments: undefined,
    }),
    stop: () => void child.kill('SIGINT'),
    ended,
    remove: () => {
      child.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
