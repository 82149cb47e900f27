import { spawn } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { ledgerOf } from '../../src/jobs/recordings.ts';
import { startOrigin } from '../support/origin/origin.ts';
import { reconcile } from '../support/origin/reconcile.ts';

/*
 * `npm run demo`: a live origin that misbehaves, and the real command line that records it. Nothing is simulated: the recorder
 * host is killed with -9, the origin closes its port. Ends with the proof, and with the origin's own account beside it.
 */

const RECORD_SECONDS = 30;
const KILL_AT_MS = 8_000;
const OUTAGE_AT_MS = 16_000;
const OUTAGE_MS = 3_000;

const root = join(import.meta.dirname, '..', '..');
const output = join(root, 'demo-output');
const dataDir = mkdtempSync(join(tmpdir(), 'kennel-demo-'));

const say = (text: string) =>
  void process.stdout.write(
    `${styleText('yellow', `demo  ${text}`, { stream: process.stdout })}\n`,
  );

/** The process ids of the recorder hosts, as they leave them for their next supervisor. */
const hostPids = (): number[] =>
  globSync(join(dataDir, 'run', '*.json')).map((file) =>
    Number(JSON.parse(readFileSync(file, 'utf8')).pid),
  );

/** Waits for the recorder: making the embedded database takes seconds, once for each data directory. */
async function recorderHost(): Promise<number> {
  for (;;) {
    const [pid] = hostPids();
    if (pid !== undefined) return pid;
    await sleep(100);
  }
}

async function misbehave(down: (ms: number) => unknown): Promise<void> {
  const pid = await recorderHost();
  await sleep(KILL_AT_MS);
  say(`kill -9 ${pid}: the process that records is gone`);
  process.kill(pid, 'SIGKILL');
  await sleep(OUTAGE_AT_MS - KILL_AT_MS);
  say(`the origin goes away for ${OUTAGE_MS / 1_000} seconds`);
  down(OUTAGE_MS);
  await sleep(OUTAGE_MS);
  say('the origin is back');
}

function kennel(...args: string[]): Promise<number> {
  say(`kennel ${args.join(' ')}`);
  const child = spawn(process.execPath, [join(root, 'src', 'main.ts'), ...args], {
    stdio: 'inherit',
    env: { ...process.env, KENNEL_DATA_DIR: dataDir, DATABASE_URL: '' },
  });
  return new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)));
}

async function main(): Promise<number> {
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output);
  await using origin = await startOrigin({ streams: { ts: { set: 'ts', window: 8 } } });
  say(`a live origin: ${origin.playlistUrl('ts')}`);
  const recording = kennel(
    'record',
    origin.playlistUrl('ts'),
    '--output',
    join(output, 'demo.mp4'),
    '--duration',
    `${RECORD_SECONDS}s`,
  );
  // Whatever the recording does, the demo ends with it.
  await Promise.race([misbehave((ms) => origin.down(ms)), recording]);
  const exitCode = await recording;

  const [directory = ''] = globSync(join(dataDir, 'recordings', '*'));
  const ledger = await ledgerOf(directory);
  const account = reconcile(origin.stream('ts'), {
    stored: ledger.segments(),
    lost: ledger.gaps(),
  });
  say(
    `the origin's own account: ${account.stored.length} of its segments stored, ` +
      `${account.unaccounted.length} unaccounted for, ${account.twice.length} twice, ${account.wrong.length} wrong`,
  );
  const isWhole =
    exitCode === 0 &&
    ledger.lost === 0 &&
    ledger.duplicates === 0 &&
    account.unaccounted.length + account.twice.length + account.wrong.length === 0;
  say(
    `${ledger.advertised} advertised = ${ledger.stored} stored, after ${ledger.attempts} attempts`,
  );
  process.stdout.write(
    isWhole
      ? 'advertised = stored, lost 0, duplicates 0\n'
      : `advertised ${ledger.advertised}, stored ${ledger.stored}, lost ${ledger.lost}, duplicates ${ledger.duplicates}\n`,
  );
  process.stdout.write(`${join(output, 'demo.mp4')}\n`);
  return isWhole ? 0 : exitCode || 1;
}

try {
  process.exitCode = await main();
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}
