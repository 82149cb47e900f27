import { randomInt } from 'node:crypto';
import { chownSync, lchownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { KennelError, messageOf } from '../core/errors.ts';
import type { CagedCommand, CagedProgram, CageLimits } from './cage.ts';
import { type CagePlan, isBubblewrapped } from './cagePlan.ts';
import type { CageTools } from './cageTools.ts';
import { parentsOf, programPaths, readOnlyView } from './cageView.ts';
import { SealedNetwork } from './sealedNetwork.ts';

/** Of the program's own `/tmp`, which is memory, bytes: a yt-dlp that unpacks itself takes 90 MB there. */
const TMP_BYTES_MAX = 256 * 1024 * 1024;
/** Of `/dev/shm`, bytes: Python's locks take a page each. */
const SHARED_MEMORY_BYTES_MAX = 16 * 1024 * 1024;

/** Everything in a cage is under one of these. */
const INNER_PATH = '/usr/local/bin:/usr/bin:/bin';

/**
 * Users for caged programs, when root builds the cage: one for each start, by chance out of 2^28, where systemd's registry
 * ("Users, Groups, UIDs and GIDs on systemd Systems") has no owner.
 */
const PROGRAM_USER_MIN = 0x7000_0000;
const PROGRAM_USER_MAX = 0x7fff_fff0;

/** What a plan becomes commands with. */
export interface CageParts {
  readonly plan: CagePlan;
  readonly tools: CageTools;
  /** The value of `PATH`, for programs that are not in a file system of their own. */
  readonly searchPath: string;
  /** Put into every environment. */
  readonly marker: Readonly<Record<string, string>>;
  /** The system's files, as arguments of bubblewrap. */
  readonly view: readonly string[];
  /** The file with the seccomp filter; undefined: there is none for this machine. */
  readonly seccompFile: string | undefined;
  /** RLIMIT_NOFILE of this process, which nobody without privileges can exceed. */
  readonly openFilesMax: number;
}

/** See `Cage.command`. */
export function cageCommand(
  parts: CageParts,
  program: CagedProgram,
  firstDescriptor: number,
): CagedCommand {
  const { plan } = parts;
  if (isBubblewrapped(plan)) return bubblewrapped(parts, program, firstDescriptor);
  const { workDirectory } = program;
  const [file = program.file, ...args] = [
    ...(plan.rung === 'limits' ? withLimits(parts, program.limits) : []),
    ...(plan.rung === 'limits'
      ? [toolIn(parts, 'setpriv'), '--no-new-privs', '--pdeathsig', 'KILL', '--']
      : []),
    program.file,
    ...program.arguments,
  ];
  // Its settings and caches belong to this one start as well, and not to the home of whoever runs Kennel.
  const places = { PATH: parts.searchPath, HOME: workDirectory, TMPDIR: workDirectory };
  const environment = { ...parts.marker, ...program.environment, ...places };
  return { file, arguments: args, environment, inherit: [], workDirectory };
}

/**
 * The environment is given to the outermost process and passes through all of them: it may hold secrets, which `--setenv`
 * would put where every process of this machine can read them.
 */
function bubblewrapped(
  parts: CageParts,
  program: CagedProgram,
  firstDescriptor: number,
): CagedCommand {
  const { plan, seccompFile } = parts;
  const { workDirectory } = program;
  const user = plan.isRoots ? randomInt(PROGRAM_USER_MIN, PROGRAM_USER_MAX) : undefined;
  if (user !== undefined) giveTo(user, workDirectory);
  const [file = '', ...args] = [
    ...networkEntry(parts, program),
    toolIn(parts, 'bwrap'),
    ...isolation(plan),
    ...(plan.hasNetwork && program.profile === 'local' ? ['--unshare-net'] : []),
    ...files(parts, program),
    ...(seccompFile === undefined ? [] : ['--seccomp', String(firstDescriptor)]),
    '--',
    ...(user === undefined ? [] : asUser(parts, user)),
    ...withLimits(parts, program.limits),
    program.file,
    ...program.arguments,
  ];
  const places = { PATH: INNER_PATH, HOME: '/tmp', TMPDIR: '/tmp' };
  return {
    file,
    arguments: args,
    environment: { ...parts.marker, ...program.environment, ...places },
    inherit: seccompFile === undefined ? [] : [seccompFile],
    workDirectory,
  };
}

/** Into the network that was made for it. */
function networkEntry(parts: CageParts, program: CagedProgram): string[] {
  const { plan } = parts;
  const { network, profile } = program;
  if (!plan.hasNetwork || profile === 'local') return [];
  // Both are mistakes of the caller: a program would have another way out than what it was counted on.
  if (network === undefined) throw new Error('A program that fetches needs a network.');
  if (!(network instanceof SealedNetwork)) throw new Error('The network is not of this cage.');
  const { net, user } = network.entry();
  return [
    toolIn(parts, 'nsenter'),
    ...(plan.isRoots ? [] : [`--user=${user}`, '--preserve-credentials']),
    `--net=${net}`,
    '--',
  ];
}

const isolation = (plan: CagePlan): string[] => [
  ...(plan.isRoots
    ? [
        '--cap-drop',
        'ALL',
        '--cap-add',
        'CAP_SETUID',
        '--cap-add',
        'CAP_SETGID',
        '--cap-add',
        'CAP_SETPCAP',
        // To enter the work directory, which is the program's alone.
        '--cap-add',
        'CAP_DAC_READ_SEARCH',
      ]
    : ['--unshare-user', '--cap-drop', 'ALL']),
  '--unshare-pid',
  '--unshare-ipc',
  '--unshare-uts',
  '--unshare-cgroup-try',
  '--hostname',
  'kennel',
  '--new-session',
  '--die-with-parent',
];

/** Parents before what is in them; what may be written is last, so that nothing covers it. */
function files({ plan, view }: CageParts, program: CagedProgram): string[] {
  const memory = (bytes: number, path: string) => [
    ...(plan.limitsTmpfs ? ['--size', String(bytes)] : []),
    '--perms',
    '1777',
    '--tmpfs',
    path,
  ];
  const { workDirectory, readable = [] } = program;
  return [
    ...view,
    ...['--dev', '/dev', ...memory(SHARED_MEMORY_BYTES_MAX, '/dev/shm'), '--remount-ro', '/dev'],
    // The settings of the kernel in it may be written by the machine's root, which a user namespace does not change.
    ...(plan.hasProc ? ['--proc', '/proc', '--remount-ro', '/proc'] : []),
    ...memory(TMP_BYTES_MAX, '/tmp'),
    ...readOnlyView([...programPaths(program.file), ...readable]),
    ...parentsOf(workDirectory),
    ...['--bind', workDirectory, workDirectory, '--chdir', workDirectory],
    ...['--remount-ro', '/'],
  ];
}

const asUser = (parts: CageParts, user: number): string[] => [
  toolIn(parts, 'setpriv'),
  `--reuid=${user}`,
  `--regid=${user}`,
  '--clear-groups',
  '--bounding-set=-all',
  '--inh-caps=-all',
  '--',
];

/**
 * Set within the cage: there the processes are counted for this cage alone. Where the cage has no user of its own they would
 * be counted with everything else that this user runs, so there they are not limited: `ProgramLimitWatch` ends what has too many.
 */
const withLimits = (parts: CageParts, limits: CageLimits): string[] => [
  toolIn(parts, 'prlimit'),
  '--core=0',
  `--fsize=${limits.fileBytesMax}`,
  `--nofile=${Math.min(limits.openFilesMax, parts.openFilesMax)}`,
  ...(isBubblewrapped(parts.plan) ? [`--nproc=${limits.processesMax}`] : []),
  '--',
];

/** The work directory and what was put into it, not what is below: it belongs to one start. */
function giveTo(user: number, directory: string): void {
  try {
    for (const name of readdirSync(directory)) lchownSync(join(directory, name), user, user);
    chownSync(directory, user, user);
  } catch (error) {
    throw new KennelError(
      'sandbox.unavailable',
      `The work directory ${directory} cannot be given to the caged program's user: ${messageOf(error)}. ` +
        'Put the data directory onto a file system that knows owners, or run Kennel as another user than root.',
      { cause: error },
    );
  }
}

function toolIn({ tools }: CageParts, name: keyof CageTools): string {
  const path = tools[name];
  if (path === undefined) throw new Error(`A cage was planned without ${name}.`);
  return path;
}
