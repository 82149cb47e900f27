import {
  closeSync,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * What a caged program sees of the files of this machine, as arguments of bubblewrap. Everything keeps its name, so that paths
 * mean the same inside and outside.
 */

/** Programs and libraries. On most systems all but `/usr` are links into it. */
const SYSTEM_DIRECTORIES = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/** What programs read of `/etc` to run at all, to trust certificates, and to write letters. Never `/etc` itself, nor `/etc/ssl/private`. */
const SYSTEM_SETTINGS = [
  '/etc/ld.so.cache',
  '/etc/alternatives',
  '/etc/ssl/certs',
  '/etc/ssl/openssl.cnf',
  '/etc/ssl/cert.pem',
  '/etc/ca-certificates',
  '/etc/pki/ca-trust',
  '/etc/pki/tls/certs',
  '/etc/pki/tls/cert.pem',
  '/etc/crypto-policies',
  '/etc/fonts',
  '/etc/mime.types',
  '/etc/localtime',
];

/** How names are looked up; only where there is somebody to be asked. */
const NAME_SETTINGS = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf'];

/** @param withNames whether the program looks names up itself, which it can only with the machine's network */
export function systemView(withNames: boolean): string[] {
  return [
    ...SYSTEM_DIRECTORIES.flatMap(sameAsOutside),
    ...readOnlyView(
      [...SYSTEM_SETTINGS, ...pythonSettings(), ...(withNames ? NAME_SETTINGS : [])].filter(
        (path) => existsSync(path),
      ),
    ),
  ];
}

function sameAsOutside(directory: string): string[] {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  return stat.isSymbolicLink()
    ? ['--symlink', readlinkSync(directory), directory]
    : ['--ro-bind', directory, directory];
}

/** Debian keeps files there that its Python imports at every start. */
const pythonSettings = (): string[] =>
  readdirSync('/etc')
    .filter((name) => /^python\d[\d.]*$/.test(name))
    .map((name) => join('/etc', name));

/** Files and directories that are shown read-only under their own names, with the directories above them but nothing else of these. */
export const readOnlyView = (paths: readonly string[]): string[] =>
  paths.flatMap((path) => [...parentsOf(path), '--ro-bind', path, path]);

/** bubblewrap makes missing parents with mode 0700, which another user could not pass. */
export function parentsOf(path: string): string[] {
  if (isOfSystem(path)) return [];
  const parents: string[] = [];
  for (let parent = dirname(path); parent !== '/'; parent = dirname(parent))
    parents.unshift(parent);
  return parents.flatMap((parent) => ['--dir', parent]);
}

const isOfSystem = (path: string): boolean =>
  SYSTEM_DIRECTORIES.some((directory) => path.startsWith(`${directory}/`));

/**
 * What a program needs besides the system: itself under its name and its real one, its interpreter, and the installation that
 * either is part of. A directory like `~/.local` is never shown whole.
 */
export function programPaths(file: string): string[] {
  const paths = new Set<string>();
  collect(file, paths, INTERPRETERS_MAX);
  return [...paths].toSorted((a, b) => a.length - b.length);
}

/** A script of a script of a script: the kernel follows 4 as well (`binfmt_script`). */
const INTERPRETERS_MAX = 4;

function collect(file: string, paths: Set<string>, interpretersLeft: number): void {
  if (interpretersLeft === 0) return;
  const real = realpathSync(file);
  for (const path of [file, real]) {
    if (isOfSystem(path)) continue;
    paths.add(path);
    const installation = installationOf(path);
    if (installation !== undefined) paths.add(installation);
  }
  const interpreter = interpreterOf(real);
  if (interpreter !== undefined && existsSync(interpreter)) {
    collect(interpreter, paths, interpretersLeft - 1);
  }
}

/** The root of the Python environment or Python that a program's `bin` directory belongs to. */
function installationOf(file: string): string | undefined {
  const directory = dirname(file);
  if (basename(directory) !== 'bin') return undefined;
  const root = dirname(directory);
  if (root === '/') return undefined;
  const isEnvironment = existsSync(join(root, 'pyvenv.cfg'));
  const isPython = /^python[\d.]*$/.test(basename(file)) && existsSync(join(root, 'lib'));
  return isEnvironment || isPython ? root : undefined;
}

/** The longest first line that Linux reads (BINPRM_BUF_SIZE), bytes. */
const FIRST_LINE_BYTES = 256;

/** What a script names behind `#!`; undefined for anything else. `/usr/bin/env NAME` needs no more than `env`. */
function interpreterOf(file: string): string | undefined {
  const head = Buffer.alloc(FIRST_LINE_BYTES);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, head, 0, FIRST_LINE_BYTES, 0);
  } finally {
    closeSync(descriptor);
  }
  return /^#!\s*(\/\S+)/.exec(head.toString('latin1'))?.[1];
}
