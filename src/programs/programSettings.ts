/** What the operator of the node allows programs, for all jobs. */
export interface ProgramLimits {
  /** Resident memory of a program and all that it started, bytes; above it, twice in a row, it is ended. */
  readonly memoryBytesMax: number;
  /** CPU of a program and all that it started, in cores, over half a minute; above it is ended. */
  readonly coresMax: number;
  /** What it may say on its standard error, bytes a minute; above it is ended. */
  readonly logBytesPerMinuteMax: number;
  /** Largest file that it may write, bytes: it has no business to write any. */
  readonly fileBytesMax: number;
  readonly openFilesMax: number;
  /** Processes and threads; above it is ended, where the cage does not keep it below. */
  readonly processesMax: number;
}
