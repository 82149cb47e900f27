import { spawnSync } from 'node:child_process';
import { globSync, writeFileSync } from 'node:fs';

const LIBRARY = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')[0];

/** Why no process can be given a wall clock of its own here; undefined where one can. */
export function whyNoWallClock(): string | undefined {
  if (LIBRARY === undefined) return 'libfaketime is not installed';
  const env = { LD_PRELOAD: LIBRARY, FAKETIME: '+2d', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
  const args = ['-p', 'Date.now()'];
  const { stdout } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  return Number(stdout) > Date.now() + 86_400_000 ? undefined : 'libfaketime does nothing here';
}

/** A wall clock that can be set while processes run; their monotonic clocks, and the dates of files, stay as they are. */
export class WallClock {
  readonly #file: string;

  /** @param file a path of its own */
  constructor(file: string) {
    this.#file = file;
    this.set(0);
  }

  /** What a process needs to have it. */
  get environment(): Record<string, string> {
    return {
      LD_PRELOAD: LIBRARY ?? '',
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  /** @param offsetSeconds how far it is ahead of the true one */
  set(offsetSeconds: number): void {
    writeFileSync(this.#file, `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}\n`);
  }
}
