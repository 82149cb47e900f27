import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { readJournal } from '../../../src/ledger/journal.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';

const program = fileURLToPath(new URL('appendForever.ts', import.meta.url));

/** Lets the program append until it has acknowledged so many segments, then kills it with SIGKILL. */
async function appendAndKill(directory: string, count: number): Promise<number[]> {
  const child = spawn(process.execPath, [program, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  const acknowledged: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(Number(line));
    if (acknowledged.length === count) child.kill('SIGKILL');
  }
  await exited;
  expect(child.signalCode).toBe('SIGKILL');
  return acknowledged;
}

test('every segment that was acknowledged survives kill -9, life after life', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kennel-crash-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const acknowledged: number[] = [];
  for (const count of [50, 201, 333]) {
    acknowledged.push(...(await appendAndKill(directory, count)));
    const { records } = await readJournal(directory);
    const ledger = new Ledger();
    for (const record of records) ledger.apply(record);
    const lost = acknowledged.filter((msn) => !ledger.has({ track: 'main', epoch: 0, msn }));
    expect(lost).toEqual([]);
    expect(ledger.duplicates).toBe(0);
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(584);
});
