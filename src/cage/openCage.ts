import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { KennelError, systemCodeOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import {
  CAGE_RUNGS,
  type Cage,
  type CagedCommand,
  type CagedProgram,
  type CageNetwork,
  type CageReport,
  type CageRung,
} from './cage.ts';
import { type CageParts, cageCommand } from './cageCommand.ts';
import { type CagePlan, cagePlans, isBubblewrapped, NO_CAGE } from './cagePlan.ts';
import { probeCage, withoutTmpfsLimits } from './cageProbe.ts';
import { findCageTools } from './cageTools.ts';
import { systemView } from './cageView.ts';
import { type Listeners, LoopbackNetwork } from './loopbackNetwork.ts';
import { SealedNetwork } from './sealedNetwork.ts';
import { seccompFilter } from './seccompFilter.ts';

/** `required`: at least `noProc`, or nothing is started. `off`: no cage. */
export type CageMode = 'auto' | 'required' | 'off';

export interface CageOptions {
  readonly mode: CageMode;
  /** The value of `PATH`: where bubblewrap and util-linux are looked for. */
  readonly searchPath: string;
  /** The Node that makes the listeners of networks. */
  readonly nodePath: string;
  /** For the seccomp filter and the probe's files; made when it is not there. Several processes may share it. */
  readonly runDirectory: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Put into the environment of every program, so that a later life finds it. */
  readonly marker?: Readonly<Record<string, string>>;
  /** Better rungs are not tried. Default: `full`. */
  readonly best?: CageRung;
  /** Root's own way to build cages is not tried. Default: false. */
  readonly avoidsRootsWay?: boolean;
}

/**
 * Finds the best cage that this machine can build, by building each and looking at it from within. That takes some 50 ms and
 * starts processes, so it is to be done once, when the first program is wanted. Never rejects for what the machine cannot do:
 * `report` tells, and `command` and `network` throw `sandbox.unavailable` when more is required.
 */
export async function openCage(options: CageOptions): Promise<Cage> {
  const missing: { rung: CageRung; problem: string }[] = [];
  const parts =
    options.mode === 'off' ? await bareParts(options, NO_CAGE) : await bestOf(options, missing);
  const { plan, seccompFile } = parts;
  const report: CageReport = {
    rung: plan.rung,
    hasSeccomp: seccompFile !== undefined,
    missing,
    hasProcessLimit: countsProcesses(plan),
  };
  options.log('debug', 'The cage for programs was chosen.', { ...report });
  return new BuiltCage(options, parts, report);
}

/** Goes down the ladder; what did not work is added to `missing`. */
async function bestOf(
  options: CageOptions,
  missing: { rung: CageRung; problem: string }[],
): Promise<CageParts> {
  const { runDirectory, best = 'full' } = options;
  mkdirSync(runDirectory, { recursive: true, mode: 0o700 });
  const seccompFile = writeSeccompFilter(runDirectory);
  const isRoot = process.geteuid?.() === 0 && options.avoidsRootsWay !== true;
  const isTried = ({ rung }: CagePlan) => CAGE_RUNGS.indexOf(rung) >= CAGE_RUNGS.indexOf(best);
  for (const plan of cagePlans(isRoot).filter(isTried)) {
    const isWrapped = isBubblewrapped(plan);
    let parts: CageParts = {
      ...(await bareParts(options, plan)),
      ...(isWrapped && { seccompFile, view: systemView(!plan.hasNetwork) }),
    };
    if (plan.rung === 'none') return parts;
    let problem = await probeCage(parts, runDirectory);
    const lesser = problem === undefined ? undefined : withoutTmpfsLimits(plan, problem);
    if (lesser !== undefined) {
      parts = { ...parts, plan: lesser };
      problem = await probeCage(parts, runDirectory);
    }
    if (problem === undefined) return parts;
    const same = missing.findIndex(({ rung }) => rung === plan.rung);
    // The last way to a rung asks for the least, so its problem is the one to solve.
    missing.splice(same < 0 ? missing.length : same, 1, { rung: plan.rung, problem });
  }
  return await bareParts(options, NO_CAGE);
}

async function bareParts(options: CageOptions, plan: CagePlan): Promise<CageParts> {
  const { searchPath, marker = {} } = options;
  return {
    plan,
    searchPath,
    marker,
    tools: await findCageTools(searchPath),
    view: [],
    seccompFile: undefined,
    openFilesMax: openFilesHardLimit(),
  };
}

/** RLIMIT_NPROC does not bind the machine's root, by whatever number it goes in a user namespace. */
const countsProcesses = (plan: CagePlan): boolean =>
  plan.isRoots || (isBubblewrapped(plan) && process.geteuid?.() !== 0);

/** Renamed into place: other processes of this node may be starting programs with it. */
function writeSeccompFilter(directory: string): string | undefined {
  const filter = seccompFilter();
  if (filter === undefined) return undefined;
  const path = join(directory, 'seccomp.bpf');
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, filter, { mode: 0o600 });
  renameSync(temporary, path);
  return path;
}

/** Of this process, from proc(5); where there is no `/proc` there is no limit to respect. */
function openFilesHardLimit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1];
    return hard === undefined ? Number.MAX_SAFE_INTEGER : Number(hard);
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
    return Number.MAX_SAFE_INTEGER;
  }
}

class BuiltCage implements Cage {
  readonly report: CageReport;
  readonly #options: CageOptions;
  readonly #parts: CageParts;
  readonly #networks = new Set<CageNetwork>();

  constructor(options: CageOptions, parts: CageParts, report: CageReport) {
    this.#options = options;
    this.#parts = parts;
    this.report = report;
  }

  command(program: CagedProgram, firstDescriptor: number): CagedCommand {
    this.#assertEnough();
    return cageCommand(this.#parts, program, firstDescriptor);
  }

  async network(listeners: Listeners): Promise<CageNetwork> {
    this.#assertEnough();
    const { plan, tools, marker } = this.#parts;
    const { nodePath, clock } = this.#options;
    const { bwrap } = tools;
    const network =
      plan.hasNetwork && bwrap !== undefined
        ? await SealedNetwork.open({ plan, bwrap, nodePath, clock, listeners, environment: marker })
        : new LoopbackNetwork(listeners);
    // Programs with relays have networks of their own, one after another.
    for (const known of this.#networks) if (known.isOpen === false) this.#networks.delete(known);
    this.#networks.add(network);
    return network;
  }

  close(): void {
    for (const network of this.#networks) network.close();
    this.#networks.clear();
  }

  #assertEnough(): void {
    const { rung, missing } = this.report;
    if (this.#options.mode !== 'required' || isEnough(rung)) return;
    const problem = missing.find((entry) => entry.rung === 'noProc')?.problem ?? 'it was not tried';
    throw new KennelError(
      'sandbox.unavailable',
      `A sandbox is required, and this machine has none that closes files and network off (${problem}). ${NEXT_STEP}`,
      { details: { rung, missing } },
    );
  }
}

/** Whether a cage closes both files and network off. */
export const isEnough = (rung: CageRung): boolean => rung === 'full' || rung === 'noProc';

/** What makes cages possible. */
export const NEXT_STEP =
  'Install bubblewrap (Debian, Ubuntu: apt-get install bubblewrap) and util-linux; in a container or pod, allow user namespaces and a seccomp profile that permits unshare, clone, setns and mount.';
