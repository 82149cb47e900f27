import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import type { CagedCommand } from './cage.ts';
import { type CageParts, cageCommand } from './cageCommand.ts';
import { type CagePlan, isBubblewrapped, toolsOf } from './cagePlan.ts';
import { missingTool } from './cageTools.ts';
import { type HeldNetwork, holdNetwork, newNetworkArguments } from './heldNetwork.ts';
import { SealedNetwork } from './sealedNetwork.ts';

/** A cage that has not started a shell by then is of no use, milliseconds; a busy machine takes 500. */
const PROBE_TIMEOUT_MS = 5_000;

/** The number of the first descriptor behind the standard ones. */
const FIRST_DESCRIPTOR = 3;

/** More than a pid namespace's first processes ever have. */
const FIRST_PIDS_MAX = 9;

/** Says what it sees, in builtins of any shell as far as they go: a probe is to cost milliseconds. */
const LOOK_AROUND = `
set -e
: > probe
echo "pid $$"
if [ -e "$1" ]; then echo 'stranger yes'; fi
if [ -e /proc/self/status ]; then
  while read -r name value rest; do
    case $name in NoNewPrivs:) echo "noNewPrivs $value" ;; Seccomp:) echo "seccomp $value" ;; esac
  done < /proc/self/status
  echo "net $(readlink /proc/self/ns/net)"
fi
`;

const PROBE_LIMITS = { fileBytesMax: 1_000_000, openFilesMax: 64, processesMax: 16 };

/** Builds such a cage, and looks at it from within. Resolves with why it is not to be had, or undefined. */
export async function probeCage(
  parts: CageParts,
  runDirectory: string,
): Promise<string | undefined> {
  const { plan, tools } = parts;
  const missing = missingTool(tools, toolsOf(plan));
  if (missing !== undefined) return missing;
  let directory: string | undefined;
  let network: SealedNetwork | undefined;
  try {
    directory = mkdtempSync(join(runDirectory, 'cage-probe-'));
    const workDirectory = join(directory, 'work');
    await mkdir(workDirectory);
    const stranger = join(directory, 'stranger');
    writeFileSync(stranger, '');
    if (plan.hasNetwork) network = await emptyNetwork(parts);
    const command = cageCommand(
      parts,
      {
        profile: 'fetch',
        file: '/bin/sh',
        arguments: ['-c', LOOK_AROUND, 'sh', stranger],
        environment: {},
        workDirectory,
        limits: PROBE_LIMITS,
        ...(network !== undefined && { network }),
      },
      FIRST_DESCRIPTOR,
    );
    const seen = await lookAround(command);
    return typeof seen === 'string' ? seen : whatIsWrong(parts, seen);
  } catch (error) {
    return messageOf(error);
  } finally {
    network?.close();
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  }
}

type Seen = ReadonlyMap<string, string>;

function whatIsWrong({ plan, seccompFile }: CageParts, seen: Seen): string | undefined {
  const expect = (holds: boolean, problem: string) => (holds ? undefined : problem);
  if (!isBubblewrapped(plan)) {
    return plan.rung === 'none'
      ? undefined
      : expect(seen.get('noNewPrivs') === '1', 'setpriv did not take the privileges away');
  }
  return (
    expect(Number(seen.get('pid')) <= FIRST_PIDS_MAX, 'it has no process numbers of its own') ??
    expect(!seen.has('stranger'), 'it sees files that are not its own') ??
    (plan.hasProc
      ? (expect(seen.get('noNewPrivs') === '1', 'it can gain privileges') ??
        expect(
          seccompFile === undefined || seen.get('seccomp') === '2',
          'it has no seccomp filter',
        ) ??
        expect(
          !plan.hasNetwork || seen.get('net') !== readlinkSync('/proc/self/ns/net'),
          'it has no network of its own',
        ))
      : undefined)
  );
}

/** What the shell in the cage saw, or why there was none. */
function lookAround(command: CagedCommand): Promise<Seen | string> {
  const inherited = command.inherit.map((path) => openSync(path, 'r'));
  try {
    const child = spawn(command.file, command.arguments, {
      env: { ...command.environment },
      cwd: command.workDirectory,
      stdio: ['ignore', 'pipe', 'pipe', ...inherited],
      timeout: PROBE_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    return answerOf(child);
  } finally {
    for (const descriptor of inherited) closeSync(descriptor);
  }
}

function answerOf(child: ChildProcess): Promise<Seen | string> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(messageOf(error)));
    child.once('close', (code, signal) => {
      if (code !== 0) return resolve(firstLine(stderr) || `it ended with ${signal ?? code}`);
      const lines = stdout.trim().split('\n');
      resolve(
        new Map(lines.map((line) => [line.split(' ', 1)[0] ?? '', line.replace(/^\S+ /, '')])),
      );
    });
  });
}

/** A network as programs get it, without listeners: its first process is a shell, which starts faster than a Node. */
async function emptyNetwork({ plan, tools }: CageParts): Promise<SealedNetwork> {
  const { bwrap = '' } = tools;
  const first = spawn(
    bwrap,
    [...newNetworkArguments(plan), '/bin/sh', '-c', 'echo $$; read -r end'],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {},
      timeout: PROBE_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    },
  );
  try {
    return new SealedNetwork(await heldFrom(first), [], []);
  } finally {
    first.kill('SIGKILL');
  }
}

function heldFrom(first: ChildProcess): Promise<HeldNetwork> {
  let stderr = '';
  first.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    first.stdout?.setEncoding('utf8').once('data', (text: string) => {
      try {
        resolve(holdNetwork(Number(text)));
      } catch (error) {
        reject(error);
      }
    });
    first.once('error', reject);
    first.once('close', (code, signal) => {
      reject(new Error(firstLine(stderr) || `it ended with ${signal ?? code}`));
    });
  });
}

const firstLine = (text: string): string => text.trim().split('\n', 1)[0] ?? '';

/** The plan as this machine's bubblewrap understands it: one that cannot limit a tmpfs is still a cage. */
export const withoutTmpfsLimits = (plan: CagePlan, problem: string): CagePlan | undefined =>
  plan.limitsTmpfs && /unknown option --size/i.test(problem)
    ? { ...plan, limitsTmpfs: false }
    : undefined;
