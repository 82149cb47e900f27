import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ORIGIN_CERTIFICATE } from '../../support/origin/certificate.ts';
import type { Ending } from './ending.ts';
import { filesOf, outputFile, type Program } from './programs.ts';
import type { Stage } from './stage.ts';
import { whenBegun } from './whenBegun.ts';

/** So long after the end of its stream a recorder hangs; retries of the slowest kind are over by then. */
const HANG_AFTER_MS = 25_000;
/** So long it may take until its first request: starting a Python program on a loaded machine takes seconds. */
const START_MS = 60_000;
/** Between SIGINT, which lets it finish its file, and SIGKILL. */
const GRACE_MS = 5_000;
const SAID_CHARACTERS = 2_000;

/** Records a stage with another recorder, in a process group of its own, as a shell would start it. */
export async function runProgram(
  program: Program,
  stage: Stage,
  directory: string,
): Promise<Ending> {
  const { kill } = stage.scenario;
  const authority = join(directory, 'authority.pem');
  writeFileSync(authority, ORIGIN_CERTIFICATE);
  const begin = (run: number): Started =>
    start(program, { url: stage.url, file: outputFile(directory, run), authority });
  const first = begin(0);
  if (kill === undefined) return await ended([first], stage);
  await Promise.race([whenBegun(stage.picture.clock, START_MS), first.ended]);
  await sleep(kill.atMs);
  signalGroup(first.child, 'SIGKILL');
  await sleep(kill.againAfterMs);
  return await ended([first, begin(1)], stage);
}

interface Started {
  readonly child: ChildProcess;
  readonly file: string;
  readonly ended: Promise<number | null>;
  said(): string;
}

function start(
  program: Program,
  { url, file, authority }: { url: string; file: string; authority: string },
): Started {
  const child = spawn(program.path, program.args(url, file), {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    // So that Python programs trust the origin; ffmpeg trusts everybody.
    env: { ...process.env, REQUESTS_CA_BUNDLE: authority, SSL_CERT_FILE: authority },
  });
  let said = '';
  const listen = (text: string): void => {
    said = `${said}${text}`.slice(-SAID_CHARACTERS);
  };
  child.stdout.setEncoding('utf8').on('data', listen);
  child.stderr.setEncoding('utf8').on('data', listen);
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code));
  });
  return { child, file, ended: exit, said: () => said };
}

async function ended(runs: readonly Started[], stage: Stage): Promise<Ending> {
  const last = runs.at(-1);
  if (last === undefined) throw new Error('there is at least one run');
  const over = new AbortController();
  const overdue = hangsAfter(stage, over.signal).then(() => 'hung' as const);
  const first = await Promise.race([last.ended, overdue]);
  over.abort();
  const hung = first === 'hung';
  if (hung) {
    signalGroup(last.child, 'SIGINT');
    await Promise.race([last.ended, sleep(GRACE_MS)]);
  }
  // yt-dlp leaves its ffmpeg behind when it is killed.
  for (const { child } of runs) signalGroup(child, 'SIGKILL');
  const exitCode = await last.ended;
  return {
    exitCode,
    hung,
    files: runs.flatMap(({ file }) => filesOf(file)),
    said: runs.map((run) => run.said()).join('\n'),
  };
}

async function hangsAfter({ picture }: Stage, signal: AbortSignal): Promise<void> {
  const sleeping = { signal, ref: true };
  try {
    await whenBegun(picture.clock, START_MS);
    const leftMs = picture.endsAtMs - picture.clock.elapsedMs() + HANG_AFTER_MS;
    await sleep(leftMs, undefined, sleeping);
  } catch {
    // Aborted, since it has ended: nobody waits any more.
    await new Promise(() => {});
  }
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // Nothing of the group is left.
  }
}
