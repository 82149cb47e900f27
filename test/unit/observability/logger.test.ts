import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fileLog } from '../../../src/observability/logger.ts';

const setup = () => {
  const directory = mkdtempSync(join(tmpdir(), 'kennel-log-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
};

test('a line is a fixed sentence with its fields', () => {
  const directory = setup();
  fileLog({ directory, level: 'info' })('info', 'the job has ended', { jobId: 'rex' });
  const line = JSON.parse(readFileSync(join(directory, 'kennel.log'), 'utf8'));
  expect(line).toMatchObject({ msg: 'the job has ended', jobId: 'rex', pid: process.pid });
});

test('a level that is not wanted is not written', () => {
  const directory = setup();
  fileLog({ directory, level: 'warn' })('info', 'the job has ended', {});
  expect(readFileSync(join(directory, 'kennel.log'), 'utf8')).toBe('');
});

test('a disk without space for the log stops nobody', async () => {
  const directory = setup();
  symlinkSync('/dev/full', join(directory, 'kennel.log'));
  const log = fileLog({ directory, level: 'info' });
  for (let line = 0; line < 3; line++) log('info', 'the job has ended', {});
  // What pino would throw, it throws as an event of a later turn.
  await new Promise(setImmediate);
});

test('a log that has grown too large makes way for a new one', () => {
  const directory = setup();
  writeFileSync(join(directory, 'kennel.log'), Buffer.alloc(33 * 1024 * 1024));
  fileLog({ directory, level: 'info' })('info', 'the job has ended', {});
  expect(readFileSync(join(directory, 'kennel.log')).length).toBeLessThan(1_000);
});
