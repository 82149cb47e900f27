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

/** An answer describes each track of each input, or each stretch that was stitched, with up to 250 characters. */
const ANSWER_CHARACTERS_MIN = 8 * 1024 * 1024;
const ANSWER_CHARACTERS_EACH = 250;
/** So many inputs are described by one child: a recording may have a break in every segment. */
const INPUTS_AT_ONCE = 1_000;

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
export async function askInspect(
  { inputs, count }: Omit<InspectRequest, 'ask'>,
  options: AskOptions,
): Promise<InspectAnswer> {
  const answers: InspectAnswer['inputs'] = [];
  for (let from = 0; from < inputs.length; from += INPUTS_AT_ONCE) {
    const some = inputs.slice(from, from + INPUTS_AT_ONCE);
    const { inputs: found } = await ask(
      { ask: 'inspect', inputs: some, count },
      { ...options, schema: inspectAnswerSchema, parts: some.length },
    );
    answers.push(...found);
  }
  return { inputs: answers };
}

/** Makes one MP4. Throws `mux.failed` with the end of the child's standard error. */
export const askStitch = async (
  request: Omit<StitchRequest, 'ask'>,
  options: AskOptions,
): Promise<StitchAnswer> =>
  await ask(
    { ask: 'stitch', ...request },
    // Each file may stand behind a hole.
    { ...options, schema: stitchAnswerSchema, parts: filesIn(request) },
  );

const filesIn = ({ sections }: Pick<StitchRequest, 'sections'>): number =>
  sections.reduce(
    (sum, { parts }) => sum + parts.reduce((all, { files }) => all + files.length, 0),
    0,
  );

interface Asking<Answer> extends AskOptions {
  readonly schema: z.ZodType<Answer>;
  /** How many things the answer may be about. */
  readonly parts: number;
}

async function ask<Answer>(request: MediabunnyRequest, asking: Asking<Answer>): Promise<Answer> {
  const { environment, signal, schema, parts } = asking;
  signal?.throwIfAborted();
  const result = await runProgram({
    file: process.execPath,
    arguments: [entry],
    input: JSON.stringify(request),
    environment,
    niceness: NICENESS,
    stdoutTailCharacters: ANSWER_CHARACTERS_MIN + parts * ANSWER_CHARACTERS_EACH,
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
