import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import { strayFileLook } from '../../../src/process/strayFiles.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function setup() {
  const directory = mkdtempSync(join(tmpdir(), 'kennel-stray-'));
  directories.push(directory);
  const time = { ms: 100_000 };
  const clock: Clock = {
    now: () => time.ms,
    elapsed: () => time.ms,
    setTimeout: () => undefined,
    clearTimeout: () => undefined,
  };
  const look = strayFileLook(clock);
  return {
    directory,
    time,
    look: () => look(directory),
    write: (name: string, writtenAtMs = time.ms) => {
      writeFileSync(join(directory, name), '');
      utimesSync(join(directory, name), writtenAtMs / 1000, writtenAtMs / 1000);
    },
  };
}

it('finds nothing in a directory of segments, nor in one that does not exist', () => {
  const { look, write, time, directory } = setup();
  write('00001.ts');
  expect(look()).toBeUndefined();
  rmSync(directory, { recursive: true });
  time.ms += 2_000;
  expect(look()).toBeUndefined();
  directories.length = 0;
});

it('sees a file that a tool is muxing into', () => {
  const { look, write } = setup();
  write('stream.temp.mp4');
  expect(look()).toEqual({ sign: 'temp', file: 'stream.temp.mp4' });
});

it('sees a partial download only once nothing has written to it for long', () => {
  const { look, write, time } = setup();
  write('stream.mp4.part');
  expect(look()).toBeUndefined();
  time.ms += 31_000;
  expect(look()).toEqual({ sign: 'part.lingers', file: 'stream.mp4.part' });
});

it('does not list the directory again within a second', () => {
  const { look, write, time } = setup();
  expect(look()).toBeUndefined();
  write('stream.temp.mp4');
  time.ms += 900;
  expect(look()).toBeUndefined();
  time.ms += 200;
  expect(look()).toBeDefined();
});
