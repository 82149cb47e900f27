import { createHash } from 'node:crypto';
import { extname, join } from 'node:path';
import type { Job } from '../../machines/ports.ts';
import type { Outcome } from '../../machines/vocabulary.ts';
import { isKennelError, KennelError } from '../core/errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type Claim, claimSchema, type Destination, keyFor, nameForTry } from './destination.ts';
import { readIfThere, writeDurably } from './durableFile.ts';
import {
  contentChecksum,
  type Manifest,
  manifestOf,
  manifestText,
  readManifest,
} from './manifest.ts';
import { isVerified, type MuxResult } from './mux/muxResult.ts';
import { outcomeOf } from './outcome.ts';
import { type Receipt, readReceipt, saveReceipt } from './receipt.ts';
import { removeLocalFiles } from './removeLocalFiles.ts';
import type { Thumbnails } from './thumbnails.ts';

const CLAIM_FILE = 'destination.json';
const MANIFEST_FILE = 'manifest.json';

/** `film (100).mp4` and still taken: somebody should look at that directory. */
const NAMES_MAX = 100;

/** A manifest of a day of 2 s segments has 4 MB. */
const MANIFEST_BYTES_MAX = 64 * 1024 * 1024;

export interface UploadOptions {
  readonly job: Job;
  readonly ledger: Ledger;
  readonly directory: string;
  readonly finishDirectory: string;
  readonly store: Destination;
  /** The store's root and the name that every key begins with; see `placeOf`. */
  readonly root: string;
  readonly name: string;
  /** The finished files, made when they are not there. */
  readonly made: () => Promise<{ mux: MuxResult; pictures: Thumbnails }>;
  readonly token?: number;
  readonly kennel: string;
  readonly node: string;
  readonly signal: AbortSignal;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly before: (step: string) => void;
}

/**
 * Stores the finished files, then the manifest, checks that all of it is there, and only then removes the segments (unless
 * they are to be kept, or a file differs from what was expected). The journal always stays. Never overwrites what is not
 * this job's: then another name is taken. Rejects with `destination.conflict` when another manifest of this very job is
 * there, with the errors of the store, or with `disk.failed`.
 */
export async function uploadRecording(options: UploadOptions): Promise<{ outcome: Outcome }> {
  const known = await readReceipt(options.finishDirectory);
  const receipt = known ?? (await store(options));
  await removeLocalFiles(options, receipt);
  return { outcome: receipt.outcome };
}

async function store(options: UploadOptions): Promise<Receipt> {
  const { job, ledger, finishDirectory, root, signal } = options;
  const { mux, pictures } = await options.made();
  const outcome = outcomeOf(ledger, job, mux.damaged.length);
  const files = [...mux.files, ...mux.sidecars, ...pictures.files].map(
    ({ file, bytes, checksum }) => ({
      file,
      bytes,
      checksum,
    }),
  );
  let claim = await readClaim(options);
  for (let nth = 1; nth <= NAMES_MAX; nth++) {
    signal.throwIfAborted();
    claim ??= await claimName(options, nth, files);
    if (claim === undefined) continue;
    const { name } = claim;
    const keyOf = (file: string): string => keyFor(name, file);
    const manifest = manifestOf({ ...options, outcome, mux, pictures, keyOf });
    if (await putAll(options, claim, { files, manifest })) {
      const receipt: Receipt = {
        v: 1,
        outcome,
        verified: isVerified(mux),
        root,
        keys: [...files.map(({ file }) => keyOf(file)), keyOf(MANIFEST_FILE)],
        local: files.map(({ file }) => file),
      };
      options.before('write the receipt');
      await saveReceipt(finishDirectory, receipt);
      return receipt;
    }
    claim = undefined;
  }
  throw new KennelError(
    'destination.conflict',
    `${root} has files under ${options.name} and ${NAMES_MAX - 1} names after it; choose another output`,
    { details: { root, name: options.name } },
  );
}

interface LocalFile {
  readonly file: string;
  readonly bytes: number;
  readonly checksum: string;
}

async function readClaim({ finishDirectory, root }: UploadOptions): Promise<Claim | undefined> {
  const text = await readIfThere(join(finishDirectory, CLAIM_FILE));
  if (text === undefined) return undefined;
  const claim = claimSchema.parse(JSON.parse(text));
  return claim.root === root ? claim : undefined;
}

/** Takes a name under which nothing is there yet; undefined when something is. */
async function claimName(
  options: UploadOptions,
  nth: number,
  files: readonly LocalFile[],
): Promise<Claim | undefined> {
  const { store: destination, root } = options;
  const name = nameForTry(options.name, nth);
  for (const file of [...files.map((each) => each.file), MANIFEST_FILE]) {
    if ((await destination.head(keyFor(name, file))) !== undefined) return undefined;
  }
  const claim: Claim = { v: 1, root, name, ours: {} };
  await saveClaim(options, claim);
  return claim;
}

async function saveClaim(options: UploadOptions, claim: Claim): Promise<void> {
  options.before('save the claim');
  await writeDurably(join(options.finishDirectory, CLAIM_FILE), JSON.stringify(claim));
}

/** False when somebody else took the name meanwhile; then nothing of ours is left under it. */
async function putAll(
  options: UploadOptions,
  claim: Claim,
  content: { readonly files: readonly LocalFile[]; readonly manifest: Manifest },
): Promise<boolean> {
  const { files, manifest } = content;
  // Before anything: files that another manifest names must not be replaced.
  if ((await standingManifest(options, claim, manifest)) === 'foreign') return false;
  for (const { file, checksum } of files) {
    const key = keyFor(claim.name, file);
    claim.ours[key] = [...new Set([...(claim.ours[key] ?? []), checksum])];
  }
  await saveClaim(options, claim);
  const put: string[] = [];
  for (const file of files) {
    const key = keyFor(claim.name, file.file);
    if (!(await putFile(options, claim, file))) return await giveUpName(options, claim, put);
    put.push(key);
  }
  if (!(await putManifest(options, claim, manifest))) return await giveUpName(options, claim, put);
  await checkHeads(options, claim, files);
  return true;
}

async function giveUpName(
  options: UploadOptions,
  { name }: Claim,
  put: readonly string[],
): Promise<false> {
  options.log('name at the destination was taken by somebody else', {
    jobId: options.job.id,
    name,
  });
  options.before('give up the name');
  await options.store.delete(put);
  return false;
}

/** False when what stands there is not ours. */
async function putFile(options: UploadOptions, claim: Claim, local: LocalFile): Promise<boolean> {
  const { store: destination, finishDirectory, signal } = options;
  const key = keyFor(claim.name, local.file);
  const source = { file: join(finishDirectory, local.file) };
  const contentType = CONTENT_TYPES[extname(key)] ?? 'application/octet-stream';
  options.before(`put ${key}`);
  let stored: { bytes: number; checksum: string };
  try {
    stored = await destination.put(key, source, { ifAbsent: true, contentType, signal });
  } catch (error) {
    if (!isConflict(error)) throw error;
    const found = await checksumOf(destination, key, signal);
    if (found === local.checksum) return true;
    // Not there any more counts as foreign too: somebody else is at work under this name.
    if (found === undefined || !(claim.ours[key] ?? []).includes(found)) return false;
    stored = await destination.put(key, source, { contentType, signal });
  }
  if (stored.checksum !== local.checksum) {
    throw new KennelError(
      'destination.unwritable',
      `what was stored under ${key} is not what was sent; check the disks`,
      { retryable: true, details: { key, expected: local.checksum, found: stored.checksum } },
    );
  }
  return true;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.mp4': 'video/mp4',
  '.m4a': 'audio/mp4',
  '.jpg': 'image/jpeg',
  '.vtt': 'text/vtt',
};

/** False when another job's manifest, or something else, stands there. */
async function putManifest(
  options: UploadOptions,
  claim: Claim,
  manifest: Manifest,
): Promise<boolean> {
  const key = keyFor(claim.name, MANIFEST_FILE);
  const bytes = Buffer.from(manifestText(manifest));
  options.before(`put ${key}`);
  try {
    const contentType = 'application/json';
    await options.store.put(
      key,
      { bytes },
      { ifAbsent: true, contentType, signal: options.signal },
    );
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
  // Read back in either case: the manifest that stands there decides.
  return (await standingManifest(options, claim, manifest)) === 'same';
}

/** What stands under the manifest's key. Throws `destination.conflict` for another manifest of this very job. */
async function standingManifest(
  { store: destination, job }: UploadOptions,
  { name }: Claim,
  manifest: Manifest,
): Promise<'none' | 'same' | 'foreign'> {
  const key = keyFor(name, MANIFEST_FILE);
  if ((await destination.head(key)) === undefined) return 'none';
  const found = readManifest((await textOf(destination, key)) ?? '');
  if (found === undefined || found.jobId !== job.id) return 'foreign';
  if (contentChecksum(found) === contentChecksum(manifest)) return 'same';
  throw new KennelError(
    'destination.conflict',
    `${key} is another manifest of this very job; look at both recordings before removing one`,
    {
      details: {
        key,
        found: { token: found.token, proof: found.proof.checksum },
        token: manifest.token,
      },
    },
  );
}

async function checkHeads(
  options: UploadOptions,
  claim: Claim,
  files: readonly LocalFile[],
): Promise<void> {
  for (const { file, bytes } of files) {
    const key = keyFor(claim.name, file);
    const head = await options.store.head(key);
    if (head?.bytes === bytes) continue;
    throw new KennelError(
      'destination.unwritable',
      `${key} was stored with ${bytes} bytes and now has ${head?.bytes ?? 'none'}; nothing was deleted`,
      { retryable: true, details: { key, expected: bytes, found: head?.bytes ?? null } },
    );
  }
}

const isConflict = (error: unknown): boolean =>
  isKennelError(error) && error.code === 'destination.conflict';

async function checksumOf(
  destination: Destination,
  key: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const chunks = await destination.get(key);
  if (chunks === undefined) return undefined;
  const hash = createHash('sha256');
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest('hex');
}

async function textOf(destination: Destination, key: string): Promise<string | undefined> {
  const chunks = await destination.get(key);
  if (chunks === undefined) return undefined;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    // A foreign file of any size may stand under this key.
    if (bytes > MANIFEST_BYTES_MAX) return undefined;
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString();
}
