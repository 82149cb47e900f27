import type { Cage, CageNetwork } from '../cage/cage.ts';
import type { AddressRules } from '../egress/addressRules.ts';
import type { EgressGate } from '../egress/egressGate.ts';
import type { ResolvedLink } from '../intake/link.ts';
import type { ProgramOutput, ProgramOutputOptions } from './output/programOutput.ts';
import type { ProgramLimits } from './programSettings.ts';
import type { FoundTool, RecorderPlugin } from './recorderPlugin.ts';

/** What a recording by a program is made of, besides what every recording is given. */
export interface ProgramParts {
  readonly plugin: RecorderPlugin;
  readonly tool: FoundTool;
  readonly ffmpeg?: FoundTool;
  /** What is behind the job's link now. Rejects with an `IntakeRefusal`; `retryable` says whether it may change by itself. */
  resolve(signal: AbortSignal): Promise<ResolvedLink>;
  readonly cage: Cage;
  readonly gate: EgressGate;
  /** The network that programs share which need no relay. */
  sharedNetwork(): Promise<CageNetwork>;
  readonly rules: AddressRules;
  readonly limits: ProgramLimits;
  /** The Node that runs Kennel. */
  readonly nodePath: string;
  /** Put into the environment of each program, besides `KENNEL_JOB`. */
  readonly marker: Readonly<Record<string, string>>;
  /** Takes over what programs put out. Default: `programOutput`. */
  readonly output?: (options: ProgramOutputOptions) => ProgramOutput;
}
