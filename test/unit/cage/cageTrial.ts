import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { CagedCommand, CageLimits, CageReport } from '../../../src/cage/cage.ts';
import { type CageOptions, openCage } from '../../../src/cage/openCage.ts';
import { systemClock } from '../../../src/core/clock.ts';

/** What is to be run in a cage, by a process of its own that may be another user's. */
export interface TrialOrder {
  readonly cage: Partial<Pick<CageOptions, 'best' | 'avoidsRootsWay' | 'marker'>> &
    Pick<CageOptions, 'runDirectory' | 'searchPath'>;
  readonly profile?: 'fetch' | 'local';
  readonly file: string;
  readonly arguments: readonly string[];
  /** `GATE` is added: the port of a listener of its network that answers `hello`. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly workDirectory: string;
  readonly readable?: readonly string[];
  readonly limits?: Partial<CageLimits>;
}

export interface TrialStart {
  readonly report: CageReport;
  readonly outerPid: number;
  readonly isSealed: boolean;
}

export interface TrialEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

const LIMITS: CageLimits = { fileBytesMax: 1e9, openFilesMax: 256, processesMax: 64 };

/** Starts a command as its contract says. */
export function spawnCaged(command: CagedCommand): ChildProcess {
  const inherited = command.inherit.map((path) => openSync(path, 'r'));
  try {
    return spawn(command.file, command.arguments, {
      env: { ...command.environment },
      cwd: command.workDirectory,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', ...inherited],
    });
  } finally {
    for (const descriptor of inherited) closeSync(descriptor);
  }
}

async function carryOut(order: TrialOrder): Promise<void> {
  const say = (value: unknown) => void process.stdout.write(`${JSON.stringify(value)}\n`);
  const cage = await openCage({
    mode: 'auto',
    nodePath: process.execPath,
    clock: systemClock,
    log: () => {},
    ...order.cage,
  });
  const network = await cage.network({ tcp: 1, udp: 1 });
  const { server, port } = await network.tcp();
  server.on('connection', (socket) => socket.on('error', () => {}).end('hello'));
  const command = cage.command(
    {
      ...order,
      profile: order.profile ?? 'fetch',
      environment: { ...order.environment, GATE: String(port) },
      limits: { ...LIMITS, ...order.limits },
      network,
    },
    3,
  );
  const child = spawnCaged(command);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const { report } = cage;
  say({ report, outerPid: child.pid, isSealed: network.isSealed } satisfies Omit<
    TrialStart,
    'outerPid'
  > & { outerPid: unknown });
  child.once('close', (exitCode, signal) => {
    say({ exitCode, signal, stdout, stderr } satisfies TrialEnd);
    cage.close();
  });
}

export interface Trial {
  readonly hostPid: number;
  readonly start: Promise<TrialStart>;
  readonly end: Promise<TrialEnd>;
}

/** Carries an order out in a new process; `as`: as another user (`setpriv`). Its environment holds a secret. */
export function startTrial(order: TrialOrder, as?: number): Trial {
  const command = [process.execPath, import.meta.filename, JSON.stringify(order)];
  const user = ['setpriv', `--reuid=${as}`, `--regid=${as}`, '--clear-groups', '--'];
  const [file = '', ...args] = [...(as === undefined ? [] : user), ...command];
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, KENNEL_TEST_SECRET: 'hush' },
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`The trial ended without an answer: ${complaint}`);
    return JSON.parse(value);
  };
  // The shapes are those that `carryOut` says, a few lines above.
  const start = next() as Promise<TrialStart>;
  const end = start.then(next) as Promise<TrialEnd>;
  // A test may kill the host and never ask how it ended.
  end.catch(() => {});
  return { hostPid: child.pid ?? 0, start, end };
}

const [, script, text] = process.argv;
if (script === import.meta.filename && text !== undefined) {
  const order: TrialOrder = JSON.parse(text);
  await carryOut(order);
}
