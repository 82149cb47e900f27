import { z } from 'zod';
import type { ProgramSigns, Progress } from '../../../machines/ports.ts';

/** The words of a sign; all that there are, are shorter. */
const SIGN_CHARACTERS_MAX = 64;
/** The longest file name that Linux has (NAME_MAX), where a tool made it from a title. */
const FILE_CHARACTERS_MAX = 255;

/** What a host tells about a program, once or twice a second: some 250 bytes. */
export const programSigns = z.object({
  run: z.number(),
  agedMs: z.number(),
  egressBytes: z.number(),
  outputBytes: z.number(),
  mediaMs: z.number(),
  recordedMs: z.number(),
  cpuMs: z.number(),
  isFrozen: z.boolean(),
  targetMs: z.number().exactOptional(),
  isExcused: z.boolean(),
  stray: z
    .object({
      sign: z.string().max(SIGN_CHARACTERS_MAX),
      file: z.string().max(FILE_CHARACTERS_MAX),
    })
    .exactOptional(),
}) satisfies z.ZodType<ProgramSigns>;

/** JSON has no word for anything else, and a message that cannot be read would cost the whole host. */
const finite = (number: number): number => (Number.isFinite(number) ? number : 0);

/** The numbers of a recorder as one message may carry them: names cut, what is no number taken for 0. */
export function boundedProgress(progress: Progress): Progress {
  const { program } = progress;
  if (program === undefined) return progress;
  const { stray, targetMs, isFrozen, isExcused } = program;
  return {
    ...progress,
    program: {
      run: finite(program.run),
      agedMs: Math.round(finite(program.agedMs)),
      egressBytes: finite(program.egressBytes),
      outputBytes: finite(program.outputBytes),
      mediaMs: Math.round(finite(program.mediaMs)),
      recordedMs: Math.round(finite(program.recordedMs)),
      cpuMs: Math.round(finite(program.cpuMs)),
      isFrozen,
      isExcused,
      ...(targetMs !== undefined && Number.isFinite(targetMs) && { targetMs }),
      ...(stray && {
        stray: {
          sign: stray.sign.slice(0, SIGN_CHARACTERS_MAX),
          file: stray.file.slice(0, FILE_CHARACTERS_MAX),
        },
      }),
    },
  };
}
