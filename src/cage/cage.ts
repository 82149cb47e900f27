import type { GateNetwork } from '../egress/egressGate.ts';

/** How much of a cage this machine can build, best first. */
export const CAGE_RUNGS = ['full', 'noProc', 'noNetwork', 'limits', 'none'] as const;
/**
 * `full`: bubblewrap with own pid, network, ipc, mount and user namespaces, seccomp, new `/proc`. `noProc`: the same without a new
 * `/proc`, which pods refuse. `noNetwork`: without a network namespace: programs are asked to use the egress gate, and could go
 * round it. `limits`: rlimits, no new privileges, dies with its parent. `none`: nothing but a process group.
 */
export type CageRung = (typeof CAGE_RUNGS)[number];

export interface CageReport {
  readonly rung: CageRung;
  readonly hasSeccomp: boolean;
  /** Why each better rung was not taken: the first line of what was said when it was tried. */
  readonly missing: readonly { readonly rung: CageRung; readonly problem: string }[];
  /**
   * Whether the kernel holds `processesMax`; it cannot where the program runs as the machine's root, or as a user that runs other
   * things. There recordings look once a second, and questions about links do not.
   */
  readonly hasProcessLimit?: boolean;
}

/** `fetch`: reaches the egress gate and nothing else. `local`: no network. */
export type CageProfile = 'fetch' | 'local';

export interface CagedProgram {
  readonly profile: CageProfile;
  /** Absolute path. */
  readonly file: string;
  readonly arguments: readonly string[];
  /** The whole environment; HOME, TMPDIR and PATH are set by the cage. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Its working directory, the only place where it may write (besides a /tmp of its own). Exists, and is for this one start: where
   * root builds the cage, `command` gives it and the files in it to a user that only this program runs as, so files for the
   * program are put there before, and `readable` paths must be readable to everybody.
   */
  readonly workDirectory: string;
  /** Further files or directories that it may read, besides the system's programs and libraries. */
  readonly readable?: readonly string[];
  readonly limits: CageLimits;
  /** Needed for `fetch`. */
  readonly network?: CageNetwork;
}

export interface CageLimits {
  /** Largest file it may write, bytes (RLIMIT_FSIZE). */
  readonly fileBytesMax: number;
  readonly openFilesMax: number;
  /** Processes and threads within the cage. */
  readonly processesMax: number;
}

/** What is to be started for a caged program. */
export interface CagedCommand {
  readonly file: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Files to be opened for reading and inherited, from `firstDescriptor` on. */
  readonly inherit: readonly string[];
  /** Where the work directory and readable paths are within the cage: they keep their names. */
  readonly workDirectory: string;
}

/** A network of its own for programs, whose only ways out are the listeners that were made in it. */
export interface CageNetwork extends GateNetwork {
  readonly isSealed: boolean;
  /** False once it was closed, or a listener of it was: nothing gets out of it any more. */
  readonly isOpen?: boolean;
  close(): void;
}

export interface Cage {
  readonly report: CageReport;
  /**
   * `firstDescriptor`: number of the first descriptor that `inherit` may take. Throws `sandbox.unavailable` when the
   * configuration asks for more than this machine can.
   */
  command(program: CagedProgram, firstDescriptor: number): CagedCommand;
  /** A network for programs: sealed where that can be, else the machine's loopback. `tcp`, `udp`: how many listeners it has. */
  network(listeners: { readonly tcp: number; readonly udp: number }): Promise<CageNetwork>;
  close(): void;
}
