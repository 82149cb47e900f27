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
  readOutline,
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

/**
 * A manifest of a day of 2 s segments has 4 MB for each track. One that stands where ours is to be is read up to so much more
 * than ours has.
 */
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
 * there (one of the same segments that another version of Kennel wrote is replaced), with the errors of the store, or with `disk.failed`.
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

/**
 * False when somebody else took the name meanwhile; then nothing is left under it of what was put now. Files of ours that the
 * manifest does not name, since an older version of Kennel made them of the same segments, are removed.
 */
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
  await removeOutdated(options, claim, files);
  return true;
}

async function removeOutdated(
  { store: destination, signal, before }: UploadOptions,
  { name, ours }: Claim,
  files: readonly LocalFile[],
): Promise<void> {
  const named = new Set(files.map(({ file }) => keyFor(name, file)));
  for (const [key, contents] of Object.entries(ours)) {
    if (named.has(key)) continue;
    const found = await checksumOf(destination, key, signal);
    if (found === undefined || !contents.includes(found)) continue;
    before(`remove ${key}`);
    await destination.delete([key]);
  }
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
  const source = { bytes: Buffer.from(manifestText(manifest)) };
  const how = { contentType: 'application/json', signal: options.signal };
  options.before(`put ${key}`);
  try {
    await options.store.put(key, source, { ...how, ifAbsent: true });
  } catch (error) {
    if (!isConflict(error)) throw error;
    if ((await standingManifest(options, claim, manifest)) === 'outdated') {
      await options.store.put(key, source, how);
    }
  }
  // Read back in every case: the manifest that stands there decides.
  return (await standingManifest(options, claim, manifest)) === 'same';
}

/**
 * What stands under the manifest's key. `outdated`: another version of Kennel wrote it about the very same segments. Throws
 * `destination.conflict` for another manifest of this very job.
 */
async function standingManifest(
  { store: destination, job }: UploadOptions,
  { name }: Claim,
  manifest: Manifest,
): Promise<'none' | 'same' | 'outdated' | 'foreign'> {
  const key = keyFor(name, MANIFEST_FILE);
  if ((await destination.head(key)) === undefined) return 'none';
  const bytesMax = MANIFEST_BYTES_MAX + Buffer.byteLength(manifestText(manifest));
  const text = (await textOf(destination, key, bytesMax)) ?? '';
  const outline = readOutline(text);
  if (outline === undefined || outline.jobId !== job.id) return 'foreign';
  const found = readManifest(text);
  if (found !== undefined && contentChecksum(found) === contentChecksum(manifest)) return 'same';
  const { token, proof, kennel } = outline;
  const isOtherVersion = found === undefined || kennel !== manifest.kennel;
  if (isOtherVersion && proof.checksum === manifest.proof.checksum) return 'outdated';
  throw new KennelError(
    'destination.conflict',
    `${key} is another manifest of this very job; look at both recordings before removing one`,
    { details: { key, found: { token, proof: proof.checksum }, token: manifest.token } },
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

async function textOf(
  destination: Destination,
  key: string,
  bytesMax: number,
): Promise<string | undefined> {
  const chunks = await destination.get(key);
  if (chunks === undefined) return undefined;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    // A foreign file of any size may stand under this key.
    if (bytes > bytesMax) return undefined;
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString();
}
