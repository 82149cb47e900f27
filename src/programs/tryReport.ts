import { ERROR_CODES, KennelError, type KennelErrorCode } from '../core/errors.ts';
import type { TryOutcome } from './afterExit.ts';
import type { RunResult } from './programRun.ts';
import type { ExitExplanation, FoundTool } from './recorderPlugin.ts';

/** Kept of what a program said, with its exit, characters: the last twenty lines or so. */
const EVIDENCE_TAIL_CHARACTERS = 2 * 1024;

export type Evidence = Readonly<Record<string, unknown>>;

/** One try with its facts. */
export interface TryReport extends TryOutcome {
  readonly evidence: Evidence;
  /** What failed on our side of the pipe, and is thrown as it is. */
  readonly ownError?: { readonly error: unknown };
}

export interface RunFacts {
  readonly name: string;
  readonly tool: FoundTool;
  readonly run: number;
  readonly result: RunResult;
  readonly cpuMs: number;
  readonly residentBytesPeak: number;
  readonly outputBytes: number;
  readonly mediaMs: number;
  readonly refused: readonly string[];
}

/** What a program was and how it ended, for the job's history. Plain, bounded, without secrets. */
export function runEvidence(facts: RunFacts, { sentence, fault }: ExitExplanation): Evidence {
  const { name, tool, run, result, refused } = facts;
  const { exitCode, signal, startError, exceeded, left } = result;
  return {
    tool: name,
    version: tool.version,
    run,
    ...(exitCode !== undefined && { exitCode }),
    ...(signal !== undefined && { signal }),
    ...(startError !== undefined && { startError }),
    explanation: sentence,
    fault,
    ...(exceeded !== undefined && { ...exceeded }),
    ...(result.closedEarly && { closedEarly: true }),
    ...(left.length > 0 && { leftProcesses: left.length }),
    ...(refused.length > 0 && { refused: refused.join(', ') }),
    runMs: Math.round(result.ranMs),
    cpuMs: Math.round(facts.cpuMs),
    rssBytesPeak: facts.residentBytesPeak,
    bytes: facts.outputBytes,
    mediaMs: Math.round(facts.mediaMs),
    stderrTail: result.stderrTail.slice(-EVIDENCE_TAIL_CHARACTERS),
  };
}

/** Whatever came before a program could be started: its link, its way out, its cage. `sentence`: the message, without secrets. */
export function refusalReport(error: KennelError, sentence: string): TryReport {
  const { code, retryable } = error;
  const fault = faultOf(error);
  const explanation: ExitExplanation = { fault, why: code, retry: retryable, sentence };
  const evidence = { explanation: sentence, code };
  return { explanation, hadMedia: false, mediaMs: 0, evidence };
}

function faultOf({ code, retryable }: KennelError): ExitExplanation['fault'] {
  // A cage that could be built before, and cannot for the moment.
  if (code === 'sandbox.unavailable' && retryable) return 'machine';
  const fault = ERROR_CODES[code];
  if (fault === 'source' || fault === 'caller') return fault;
  return fault === 'kennel' ? 'tool' : 'machine';
}

/** Why nothing was recorded at all. */
export function refusalError({ explanation, evidence }: TryReport): KennelError {
  const { why, sentence, fault, retry } = explanation;
  const mayHelp = fault === 'source' || fault === 'none';
  const fallback = mayHelp ? 'source.unavailable' : 'tool.failed';
  return new KennelError(isErrorCode(why) ? why : fallback, sentence, {
    retryable: retry,
    details: evidence,
  });
}

const isErrorCode = (word: string): word is KennelErrorCode => Object.hasOwn(ERROR_CODES, word);
