import { KennelError } from '../core/errors.ts';

/** What a provider can do; callers ask before they rely on it. */
export interface StorageCapabilities {
  /** Whether `ifAbsent` is decided by the store in one step, so that of two writers exactly one wins. */
  readonly atomicIfAbsent: boolean;
  /** Whether a put from a file on the same file system costs no second copy of the bytes. */
  readonly linksLocalFiles: boolean;
  /** Whether `presign` links can be made. No provider can yet. */
  readonly presign: boolean;
}

/** The content of a put: a local file, which the store never changes, or bytes. */
export type StorageSource = { readonly file: string } | { readonly bytes: Uint8Array };

export interface PutOptions {
  /** Rejects with `destination.conflict` when the key is there already, and leaves it untouched. */
  readonly ifAbsent?: boolean;
  /** Stores that keep it serve the object with it. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/** What is stored, measured at the store's side of the transfer. */
export interface StoredObject {
  readonly bytes: number;
  /** SHA-256, hex. */
  readonly checksum: string;
}

export interface ObjectHead {
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

export interface ByteRange {
  /** First byte. */
  readonly from: number;
  /** One past the last byte; absent: to the end. */
  readonly to?: number;
}

export interface ListedPage {
  /** In order of their keys by code unit. */
  readonly objects: readonly { readonly key: string; readonly bytes: number }[];
  /** Hand it to the next call; absent on the last page. */
  readonly cursor?: string;
}

/**
 * A place for finished recordings. Keys are paths with `/` (see `checkKey`). A put is whole or not there at all, and durable
 * when it resolves. Operations reject with `destination.unwritable`, `destination.conflict`, `disk.full`, `usage.invalid` for
 * a bad key, or the signal's reason.
 */
export interface StorageProvider {
  readonly name: string;
  readonly capabilities: StorageCapabilities;
  put(key: string, source: StorageSource, options?: PutOptions): Promise<StoredObject>;
  /** Undefined when the key is not there. A range beyond the end gives what there is. */
  get(
    key: string,
    options?: { readonly range?: ByteRange; readonly signal?: AbortSignal },
  ): Promise<AsyncIterable<Uint8Array> | undefined>;
  head(key: string): Promise<ObjectHead | undefined>;
  /** Keys that are not there are no error. */
  delete(keys: readonly string[]): Promise<void>;
  list(prefix: string, cursor?: string): Promise<ListedPage>;
}

/** S3 and Azure allow 1,024 bytes; a name between slashes is a file name on disk, where 255 bytes are the rule. */
export const KEY_BYTES_MAX = 1_024;
/** 255 less what a provider adds to a name while the file is not whole. */
export const KEY_NAME_BYTES_MAX = 200;

/** Throws `usage.invalid` for a key that would leave the store, or that some store cannot hold. */
export function checkKey(key: string): void {
  const why = keyFault(key);
  if (why === undefined) return;
  throw new KennelError(
    'usage.invalid',
    `${JSON.stringify(key.slice(0, 80))} is no storage key: ${why}`,
  );
}

function keyFault(key: string): string | undefined {
  if (key === '') return 'it is empty';
  if (Buffer.byteLength(key) > KEY_BYTES_MAX) return `it is longer than ${KEY_BYTES_MAX} bytes`;
  if (key.startsWith('/')) return 'it is absolute';
  // Control characters, NUL among them, and the backslash, which is a separator elsewhere.
  if (/[\p{Cc}\\]/u.test(key)) return 'it has a control character or a backslash';
  for (const name of key.split('/')) {
    if (name === '' || name === '.' || name === '..') return 'a part of it is empty, . or ..';
    if (Buffer.byteLength(name) > KEY_NAME_BYTES_MAX) {
      return `a part of it is longer than ${KEY_NAME_BYTES_MAX} bytes`;
    }
  }
  return undefined;
}
