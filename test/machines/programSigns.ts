import type { ProgramSigns } from '../../machines/ports.ts';

/** Signs of a program that has just been started. */
export const NEWBORN: ProgramSigns = {
  run: 1,
  agedMs: 0,
  egressBytes: 0,
  outputBytes: 0,
  mediaMs: 0,
  recordedMs: 0,
  cpuMs: 0,
  isFrozen: false,
  isExcused: false,
};

/** What each sign has grown by, at an age. */
export interface Growth {
  readonly egress?: number;
  readonly output?: number;
  readonly media?: number;
  readonly cpu?: number;
}

/** The same program later, with what grew meanwhile. */
export const grown = (
  signs: ProgramSigns,
  afterMs: number,
  { egress = 0, output = 0, media = 0, cpu = 0 }: Growth = {},
): ProgramSigns => ({
  ...signs,
  agedMs: signs.agedMs + afterMs,
  egressBytes: signs.egressBytes + egress,
  outputBytes: signs.outputBytes + output,
  mediaMs: signs.mediaMs + media,
  recordedMs: signs.recordedMs + media,
  cpuMs: signs.cpuMs + cpu,
});

/** Everything moves. */
export const LIVELY: Growth = { egress: 1_000, output: 1_000, media: 500, cpu: 50 };
