import { extname, join } from 'node:path';
import type { z } from 'zod';
import { KennelError, messageOf } from '../../core/errors.ts';
import { runProgram } from '../../process/runProgram.ts';
import {
  type InspectAnswer,
  type InspectRequest,
  inspectAnswerSchema,
  type MediabunnyRequest,
  type StitchAnswer,
  type StitchRequest,
  stitchAnswerSchema,
} from './protocol.ts';

/** An answer is some hundred characters for each input; a recording has few thousand timelines at the very most. */
const ANSWER_CHARACTERS_MAX = 4 * 1024 * 1024;

/** Muxing yields to recording: two steps of niceness of five are enough for that, and it still gets on. */
const NICENESS = 10;

/** In the sources this is TypeScript, in the package JavaScript. */
const entry = join(import.meta.dirname, `main${extname(import.meta.filename)}`);

export interface AskOptions {
  /** The child's whole environment; see `runProgram`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Describes inputs. Throws `mux.failed` when the child fails; an unreadable input is part of the answer. */
export const askInspect = async (
  request: Omit<InspectRequest, 'ask'>,
  options: AskOptions,
): Promise<InspectAnswer> =>
  await ask({ ask: 'inspect', ...request }, inspectAnswerSchema, options);

/** Makes one MP4. Throws `mux.failed` with the end of the child's standard error. */
export const askStitch = async (
  request: Omit<StitchRequest, 'ask'>,
  options: AskOptions,
): Promise<StitchAnswer> => await ask({ ask: 'stitch', ...request }, stitchAnswerSchema, options);

async function ask<Answer>(
  request: MediabunnyRequest,
  schema: z.ZodType<Answer>,
  options: AskOptions,
): Promise<Answer> {
  const { environment, signal } = options;
  signal?.throwIfAborted();
  const result = await runProgram({
    file: process.execPath,
    arguments: [entry],
    input: JSON.stringify(request),
    environment,
    niceness: NICENESS,
    stdoutTailCharacters: ANSWER_CHARACTERS_MAX,
    ...(signal !== undefined && { signal }),
  });
  signal?.throwIfAborted();
  if (result.exitCode === 0) {
    try {
      return schema.parse(JSON.parse(result.stdoutTail));
    } catch (error) {
      throw failed(`its answer is not what was asked for: ${messageOf(error)}`, error);
    }
  }
  const how = result.startError ?? result.signal ?? `exit code ${result.exitCode}`;
  throw failed(`${how}: ${result.stderrTail.trim() || 'it said nothing'}`);
}

const failed = (why: string, cause?: unknown): KennelError =>
  new KennelError('mux.failed', `the mediabunny process failed (${why})`, { cause });
