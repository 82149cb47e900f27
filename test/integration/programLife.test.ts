import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { KennelError } from '../../src/core/errors.ts';
import { readJournal } from '../../src/ledger/journal.ts';
import { LINK, live } from './programLifeSetup.ts';

const linesOf = async (directory: string) => (await readJournal(directory)).records;

it('runs a program again that ends after one window, until nothing new comes of it for the whole patience', async () => {
  const { exited, output, directory } = await live({ behaviours: ['window'] });
  const exit = await exited();
  expect(exit).toMatchObject({ kind: 'ended', why: 'source.idle' });
  expect(output.runs).toBeGreaterThan(1);
  expect(exit.evidence).toMatchObject({ tool: 'fake', exitCode: 0, explanation: 'it ended' });
  const lines = await linesOf(directory);
  const started = lines.filter((line) => line.t === 'started');
  expect(started).toMatchObject([{ source: { recorder: 'fake', version: '1', kind: 'dash' } }]);
  expect(lines.at(-1)).toMatchObject({ t: 'ended', why: 'source.idle' });
  expect(output.finished).toBe('over');
});

it('waits for a source that went away, and goes on when it is back', async () => {
  const { recorder, exited, output } = await live({
    behaviours: ['window', 'away', 'away', 'live'],
    spec: { patienceMs: 30_000 },
  });
  await expect.poll(() => output.runs, { timeout: 20_000 }).toBe(4);
  await expect
    .poll(() => recorder.progress().program?.outputBytes ?? 0, { timeout: 20_000 })
    .toBeGreaterThan(0);
  expect(recorder.progress().program).toMatchObject({ run: 4, isExcused: false });
  recorder.stop('over');
  expect(await exited()).toMatchObject({ kind: 'stopped', why: 'duration' });
  expect(output.finished).toBe('over');
});

it('has the time named in which no program brought anything, when it is stopped meanwhile', async () => {
  const silent = await live({ behaviours: ['window', 'silent'] });
  await expect.poll(() => silent.output.runs, { timeout: 20_000 }).toBe(2);
  silent.recorder.stop('operator');
  await silent.exited();
  expect(silent.output.finished).toBe('down');

  const away = await live({ behaviours: ['window', 'away'], spec: { patienceMs: 60_000 } });
  await expect.poll(() => away.output.runs, { timeout: 20_000 }).toBeGreaterThan(2);
  away.recorder.stop('operator');
  await away.exited();
  expect(away.output.finished).toBe('over');
});

it('names a source that stays away, with what was said last and no secrets', async () => {
  const { exited } = await live({ behaviours: ['window', 'away'], spec: { patienceMs: 1_500 } });
  const { kind, why, evidence } = await exited();
  expect({ kind, why }).toEqual({ kind: 'ended', why: 'source.vanished' });
  expect(evidence).toMatchObject({ exitCode: 3, explanation: 'the source is away' });
  expect(evidence['stderrTail']).toBe('ERROR: the source is away; asked https://host/live\n');
});

it('ends a program to which its source says nothing, and waits for the source no longer than it may', async () => {
  const { exited, output } = await live({
    behaviours: ['window', 'silent'],
    spec: { patienceMs: 3_000, watch: { firstMediaMs: 1_500 } },
  });
  const { kind, why, evidence } = await exited();
  expect({ kind, why }).toEqual({ kind: 'ended', why: 'source.vanished' });
  expect(evidence['explanation']).toMatch(
    /^its source has sent nothing for \d+ s, so it was ended$/,
  );
  expect(output.runs).toBeGreaterThan(2);
});

it('says why nothing was recorded at all', async () => {
  const { exited, directory } = await live({ behaviours: ['login'] });
  const exit = await exited();
  expect(exit).toMatchObject({ kind: 'failed', why: 'source.login', retryable: false });
  expect(exit.evidence).toMatchObject({ message: 'members only', tool: 'fake', exitCode: 4 });
  expect((await linesOf(directory)).map(({ t }) => t)).toEqual(['recording', 'attempt']);
});

it('leaves a program that failed by itself to its Big Dog, with what it said and used', async () => {
  const { exited } = await live({ behaviours: ['bug'] });
  const exit = await exited();
  expect(exit).toMatchObject({ kind: 'crashed', why: 'exit.9', retryable: true });
  expect(exit.evidence).toMatchObject({
    tool: 'fake',
    version: '1',
    exitCode: 9,
    explanation: 'it fell',
  });
  expect(exit.evidence['stderrTail']).toBe('Traceback: header ***\n');
  expect(exit.evidence['bytes']).toBeGreaterThan(100_000);
});

it('gives the secret files of a program to nobody and removes them with it', async () => {
  const { recorder, hasMedia, exited, directory } = await live({ behaviours: ['live'] });
  await hasMedia();
  expect(readdirSync(path.join(directory, 'work/1-1'))).toEqual(['cookies.txt']);
  recorder.stop('operator');
  expect(await exited()).toMatchObject({ kind: 'stopped', why: 'stopped' });
});

it('ends a file with its last media, and a broadcast with its page', async () => {
  const file = await live({
    behaviours: ['window'],
    resolve: async () => ({ ...LINK, kind: 'file' }),
  });
  expect(await file.exited()).toMatchObject({ kind: 'ended', why: 'source.ended' });
  expect(file.output.runs).toBe(1);

  const answers = [true, true, false];
  const page = await live({
    behaviours: ['window'],
    resolve: async () => ({ ...LINK, resolver: 'fake 1', isLive: answers.shift() ?? false }),
  });
  expect(await page.exited()).toMatchObject({ kind: 'ended', why: 'source.ended' });
  expect(page.output.runs).toBe(2);
});

it('asks a page until it is live, and refuses when it never is', async () => {
  const notLive = new KennelError('source.notLive', 'it begins tomorrow', { retryable: true });
  let asked = 0;
  const patient = await live({
    behaviours: ['live'],
    spec: { waitMs: 60_000 },
    resolve: async () => {
      if (++asked < 3) throw notLive;
      return { ...LINK, isLive: true };
    },
  });
  await patient.hasMedia();
  patient.recorder.stop('operator');
  await patient.exited();

  const hasty = await live({ behaviours: ['live'], resolve: () => Promise.reject(notLive) });
  expect(await hasty.exited()).toMatchObject({ kind: 'failed', why: 'source.notLive' });
});

it('stops while it waits, also while it asks', async () => {
  const { recorder, exited } = await live({
    behaviours: ['live'],
    resolve: (signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new Error('let go'))),
      ),
  });
  recorder.stop('operator');
  expect(await exited()).toMatchObject({ kind: 'stopped', why: 'stopped' });
});

it('beats while its program says nothing, and tells what is known of it', async () => {
  const { recorder, exited, living } = await live({ behaviours: ['silent'] });
  const signs = () => recorder.progress().program;
  await expect.poll(() => signs()?.cpuMs ?? 0, { timeout: 20_000 }).toBeGreaterThan(0);
  const { beats } = recorder.progress();
  await expect
    .poll(() => recorder.progress().beats, { timeout: 20_000 })
    .toBeGreaterThan(beats + 1);
  expect(signs()).toMatchObject({
    run: 1,
    outputBytes: 0,
    mediaMs: 0,
    isFrozen: false,
    isExcused: false,
  });
  for (const pid of await living()) process.kill(pid, 'SIGSTOP');
  await expect.poll(() => signs()?.isFrozen, { timeout: 20_000 }).toBe(true);
  recorder.stop('operator');
  expect(await exited()).toMatchObject({ kind: 'stopped' });
});

it('sees a program that muxes', async () => {
  const { recorder, exited } = await live({ behaviours: ['mux'] });
  await expect
    .poll(() => recorder.progress().program?.stray, { timeout: 20_000 })
    .toEqual({ sign: 'process', file: 'talk.mp4' });
  recorder.kill('muxing');
  expect(await exited()).toMatchObject({ kind: 'crashed', why: 'muxing' });
});

it('keeps a program from running ahead of the disk', async () => {
  const held = Promise.withResolvers<void>();
  const { recorder, exited, output } = await live({
    behaviours: ['live'],
    output: (media) => {
      media.hold = held.promise;
    },
  });
  const taken = () => recorder.progress().bytes;
  await expect.poll(taken, { timeout: 20_000 }).toBeGreaterThan(0);
  const before = taken();
  const { beats } = recorder.progress();
  await expect
    .poll(() => recorder.progress().beats, { timeout: 20_000 })
    .toBeGreaterThan(beats + 2);
  expect(taken()).toBe(before);
  held.resolve();
  await expect.poll(() => output.bytes, { timeout: 20_000 }).toBeGreaterThan(before);
  recorder.stop('operator');
  await exited();
});
