import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KennelError } from '../../core/errors.ts';

/** sun_path of unix(7) has 108 bytes with its final zero (104 on macOS and BSD). */
const SOCKET_PATH_BYTES_MAX = process.platform === 'linux' ? 107 : 103;
/** `/`, a host id and `.sock`. */
const SOCKET_NAME_BYTES_MAX = 20;

const holdsSockets = (directory: string): boolean =>
  Buffer.byteLength(directory) + SOCKET_NAME_BYTES_MAX <= SOCKET_PATH_BYTES_MAX;

/** A short directory that every life of a node with this run directory finds again. */
function shortDirectory(runDirectory: string): string {
  const name = `kennel-${createHash('sha256').update(runDirectory).digest('hex').slice(0, 16)}`;
  for (const parent of [tmpdir(), '/tmp']) {
    if (holdsSockets(join(parent, name))) return join(parent, name);
  }
  throw new KennelError('config.invalid', `No directory for sockets is short enough: ${tmpdir()}`);
}

/**
 * Makes and returns the directory for a node's hosts and their sockets: `runDirectory`, or a short one below the system's
 * temporary directory when sockets would not fit. It is this user's and nobody else can enter it; a KennelError
 * (`config.invalid`) says when somebody else owns what is there.
 */
export function socketDirectory(runDirectory: string): string {
  const directory = holdsSockets(runDirectory) ? runDirectory : shortDirectory(runDirectory);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // lstat: in a shared temporary directory a link could lead anywhere.
  const status = lstatSync(directory);
  const isOurs = process.getuid === undefined || status.uid === process.getuid();
  if (!status.isDirectory() || !isOurs) {
    const message = `The directory for sockets is not a directory of this user: ${directory}`;
    throw new KennelError('config.invalid', message, { details: { directory, owner: status.uid } });
  }
  chmodSync(directory, 0o700);
  return directory;
}
