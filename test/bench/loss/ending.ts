/** How a recorder ended, and what it left. */
export interface Ending {
  /** null: by a signal. */
  readonly exitCode: number | null;
  /** It did not end by itself long after its stream had, and was ended. */
  readonly hung: boolean;
  /** What it recorded, in order; absolute paths, of which some may not be there. */
  readonly files: readonly string[];
  /** What it said, at most so much as helps to find out why. */
  readonly said: string;
  /** What Kennel claims: its recording's directory. */
  readonly recording?: string;
}
