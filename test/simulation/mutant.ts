/** A copy of the code with one bug planted, which the simulator has to find. */
export interface Mutant {
  readonly bug: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}
