import { constants, createReadStream } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cage, CageLimits, CageNetwork } from '../cage/cage.ts';
import type { Clock } from '../core/clock.ts';
import { systemCodeOf } from '../core/errors.ts';
import type { AddressRules } from '../egress/addressRules.ts';
import type { EgressGate, EgressPass } from '../egress/egressGate.ts';
import { type ProgramResult, runProgram } from '../process/runProgram.ts';
import { COOKIE_FILE_BYTES_MAX } from './netscapeCookies.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** What asking a program takes: where it runs, how it gets out, and what it may use up. */
export interface QuestionParts {
  readonly cage: Cage;
  readonly gate: EgressGate;
  readonly network: CageNetwork;
  /** Who may be connected to for a job that may reach these besides what is public. */
  rules(reach: readonly string[]): AddressRules;
  readonly clock: Clock;
  /** Each question gets a directory of its own below it, which goes with the question. Exists. */
  readonly workRoot: string;
  readonly limits: CageLimits;
}

/** Where things are for one question. */
export interface QuestionPlace {
  readonly workDirectory: string;
  readonly pass: EgressPass;
}

/** What is asked; it is told where things are. */
export interface QuestionCommand {
  readonly file: string;
  readonly arguments: readonly string[];
  /** Written with mode 0600 into the work directory before the start. */
  readonly files: readonly { readonly name: string; readonly content: string }[];
  readonly readable: readonly string[];
  /** Besides the language. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface CagedQuestion {
  command(place: QuestionPlace): QuestionCommand | Promise<QuestionCommand>;
  readonly reach: readonly string[];
  /** The job's own proxy. */
  readonly proxy?: string | undefined;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** The answer may not be longer, UTF-16 units. */
  readonly answerCharactersMax: number;
  /** A file in the work directory that is read once the program has ended. */
  readonly keep?: string;
}

export interface CagedAnswer {
  readonly stdout: string;
  readonly result: ProgramResult;
  /** Why it was ended before it ended itself. */
  readonly cut?: 'timeout' | 'length';
  /** What the gate refused it, `host:port`. */
  readonly refused: readonly string[];
  readonly kept?: string;
}

const timedOut = new Error('the program took too long');
const tooLong = new Error('the program said too much');

/** Of a file that a program has left, bytes: cookies, of which the jar of a job takes no more. */
const KEPT_BYTES_MAX = COOKIE_FILE_BYTES_MAX;

/** How long a program that is told to end may take, milliseconds: it has nothing to save. */
const GRACE_MS = 500;

/** Starts a program in the cage, waits for its end and reads what it said. Rejects with the signal's reason, as the gate and the cage do. */
export async function askCaged(
  parts: QuestionParts,
  question: CagedQuestion,
): Promise<CagedAnswer> {
  const { gate, network, workRoot } = parts;
  const { reach, proxy, signal } = question;
  signal.throwIfAborted();
  const workDirectory = await mkdtemp(join(workRoot, 'ask-'));
  try {
    const pass = await gate.pass(network, {
      rules: parts.rules(reach),
      ...(proxy !== undefined && { upstream: new URL(proxy) }),
    });
    try {
      return await ask({ parts, question, place: { workDirectory, pass } });
    } finally {
      pass.close();
    }
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
}

async function ask({
  parts,
  question,
  place,
}: {
  readonly parts: QuestionParts;
  readonly question: CagedQuestion;
  readonly place: QuestionPlace;
}): Promise<CagedAnswer> {
  const { cage, clock, limits, network } = parts;
  const { workDirectory, pass } = place;
  const command = await question.command(place);
  for (const { name, content } of command.files)
    await writeFile(join(workDirectory, name), content, { mode: 0o600, flag: 'wx' });
  const caged = cage.command(
    {
      profile: 'fetch',
      file: command.file,
      arguments: command.arguments,
      // Its files are written and its messages are read as UTF-8, wherever Kennel was started.
      environment: { LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', NO_COLOR: '1', ...command.environment },
      workDirectory,
      readable: command.readable,
      limits,
      network,
    },
    3,
  );
  const over = new AbortController();
  const leave = () => over.abort(question.signal.reason);
  if (question.signal.aborted) leave();
  question.signal.addEventListener('abort', leave, { once: true });
  const timer = clock.setTimeout(() => over.abort(timedOut), question.timeoutMs);
  let stdout = '';
  try {
    const result = await runProgram({
      file: caged.file,
      arguments: caged.arguments,
      environment: caged.environment,
      directory: caged.workDirectory,
      extraInputs: caged.inherit.map((file) => createReadStream(file)),
      signal: over.signal,
      graceMs: GRACE_MS,
      onStdout: (text) => {
        if (stdout.length + text.length > question.answerCharactersMax) over.abort(tooLong);
        else stdout += text;
      },
    });
    question.signal.throwIfAborted();
    const { reason } = over.signal;
    const cut = reason === timedOut ? 'timeout' : reason === tooLong ? 'length' : undefined;
    const kept = question.keep && (await readIfThere(join(workDirectory, question.keep)));
    const { refused } = pass;
    return { stdout, result, refused: [...refused], ...(cut && { cut }), ...(kept && { kept }) };
  } finally {
    clock.clearTimeout(timer);
    question.signal.removeEventListener('abort', leave);
  }
}

/** What a program has left is not trusted to be there, to be a file, nor to be short: a pipe would be waited for for ever. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const status = await file.stat();
    if (!status.isFile() || status.size > KEPT_BYTES_MAX) return undefined;
    return await file.readFile('utf8');
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return undefined;
  }
}
