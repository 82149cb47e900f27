import { readdirSync, readFileSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { OUTPUT_TAIL_CHARACTERS, runProgram } from '../../../src/process/runProgram.ts';
import { temporaryDirectory } from './recording.ts';

async function setup(script: string): Promise<{ file: string; directory: string }> {
  const directory = await temporaryDirectory();
  onTestFinished(async () => await directory[Symbol.asyncDispose]());
  const file = join(directory.path, 'program');
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return { file, directory: directory.path };
}

/** Live processes with this marker in their environment. */
const alive = (marker: string): string[] =>
  readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const zombie = readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
      return !zombie && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(marker);
    } catch {
      return false;
    }
  });

test('what a program says and how it ends is a value', async () => {
  const { file } = await setup('read line; echo "out $line $GREETING"; echo err >&2; exit 3');
  const result = await runProgram({
    file,
    arguments: [],
    input: 'hello\n',
    environment: { GREETING: 'there' },
  });
  expect(result).toMatchObject({
    exitCode: 3,
    stdoutTail: 'out hello there\n',
    stderrTail: 'err\n',
  });
  expect(result.inputError).toBeUndefined();
});

test('a program may have several inputs, and one that fails is a value', async () => {
  const { file } = await setup('cat <&3; cat; cat <&4');
  async function* words(...all: string[]): AsyncGenerator<Uint8Array> {
    for (const word of all) {
      if (word === 'fail') throw new Error('no more');
      yield Buffer.from(word);
    }
  }
  const common = { file, arguments: [], environment: {}, input: '2' };
  const good = await runProgram({ ...common, extraInputs: [words('1'), words('3', '4')] });
  expect(good).toMatchObject({ exitCode: 0, stdoutTail: '1234' });
  expect(good.inputError).toBeUndefined();
  const bad = await runProgram({ ...common, extraInputs: [words('1'), words('3', 'fail')] });
  expect(bad).toMatchObject({ exitCode: 0, stdoutTail: '123', inputError: new Error('no more') });
  const deaf = await setup('exit 5');
  const many = words(...Array.from({ length: 1_000 }, () => 'x'.repeat(100_000)));
  const unread = await runProgram({ ...common, ...deaf, extraInputs: [many] });
  expect(unread).toMatchObject({ exitCode: 5 });
  expect(unread.inputError).toBeUndefined();
});

test("nothing of Kennel's own environment reaches a program", async () => {
  vi.stubEnv('DATABASE_URL', 'postgres://secret');
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const { file } = await setup('env');
  const result = await runProgram({ file, arguments: [], environment: { KENNEL_JOB: 'a' } });
  expect(result.stdoutTail).toContain('KENNEL_JOB=a');
  expect(result.stdoutTail).not.toContain('secret');
});

test('a program that cannot be started says why', async () => {
  const result = await runProgram({ file: '/nowhere/ffmpeg', arguments: [], environment: {} });
  expect(result.exitCode).toBeUndefined();
  expect(result.startError).toContain('ENOENT');
});

async function* zeros(): AsyncGenerator<Uint8Array> {
  for (;;) yield Buffer.alloc(65_536);
}

test('a program that cannot be started takes no input, and that is no reason to wait for ever', async () => {
  const result = await runProgram({
    file: process.execPath,
    // Longer than the system takes.
    arguments: ['x'.repeat(4 * 1024 * 1024)],
    input: zeros(),
    extraInputs: [zeros()],
    environment: {},
  });
  expect(result.pid).toBeUndefined();
  expect(result.startError).toContain('E2BIG');
});

test('a program that reads only a part of its input is no error, and the input is closed', async () => {
  const { file } = await setup('head -c 10 >/dev/null; exit 0');
  let closed = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.alloc(65_536);
    } finally {
      closed = true;
    }
  }
  const result = await runProgram({ file, arguments: [], input: endless(), environment: {} });
  expect(result.exitCode).toBe(0);
  expect(result.inputError).toBeUndefined();
  expect(closed).toBe(true);
});

test('an input that fails is told apart from the program', async () => {
  const { file } = await setup('cat >/dev/null');
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('x');
    throw new Error('the disk is gone');
  }
  const result = await runProgram({ file, arguments: [], input: failing(), environment: {} });
  expect(result.inputError).toMatchObject({ message: 'the disk is gone' });
});

test('only the end of a long output is kept, and all of it was seen', async () => {
  const { file } = await setup('yes 0123456789 | head -c 1000000; echo; echo the end');
  let seen = 0;
  const result = await runProgram({
    file,
    arguments: [],
    environment: {},
    onStdout: (text) => {
      seen += text.length;
    },
  });
  expect(seen).toBe(1_000_009);
  expect(result.stdoutTail).toHaveLength(OUTPUT_TAIL_CHARACTERS);
  expect(result.stdoutTail).toMatch(/the end\n$/);
});

test('an abort ends the whole group, also a grandchild that holds the output and ignores SIGTERM', async () => {
  const { file, directory } = await setup(
    `trap '' TERM; (trap '' TERM; sleep 1000) & echo started > started; sleep 1000; sleep 1000`,
  );
  const marker = `kennel-test-${process.pid}-${Math.random()}`;
  const abort = new AbortController();
  const running = runProgram({
    file,
    arguments: [],
    environment: { KENNEL_JOB: marker },
    directory,
    signal: abort.signal,
    graceMs: 100,
  });
  await vi.waitFor(async () => await readFile(join(directory, 'started')));
  expect(alive(marker).length).toBeGreaterThan(1);
  abort.abort();
  expect((await running).exitCode).toBeUndefined();
  await vi.waitFor(() => expect(alive(marker)).toEqual([]));
});
