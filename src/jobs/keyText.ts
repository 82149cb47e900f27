import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 48 bits tell keys apart; they need not be secret. */
const ID_BYTES = 6;
/** 256 bits: nobody guesses them, so that one plain SHA-256 is enough to store. */
const SECRET_BYTES = 32;

const KEY_TEXT = /^kn_([a-z0-9]{1,32})_([A-Za-z0-9_-]{43})$/;

export interface SecretKey {
  readonly id: string;
  /** `kn_<id>_<secret>`: told once. */
  readonly text: string;
  readonly secretHash: string;
}

export function newSecretKey(id = randomBytes(ID_BYTES).toString('hex')): SecretKey {
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { id, text: `kn_${id}_${secret}`, secretHash: hashOf(secret) };
}

/** The parts of a key's text; undefined when it is no key. */
export function readKeyText(
  text: string,
): { readonly id: string; readonly secretHash: string } | undefined {
  const [, id, secret] = KEY_TEXT.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secretHash: hashOf(secret) };
}

/** In the same time, wherever they differ. Both are SHA-256, hex. */
export const isSameHash = (one: string, other: string): boolean =>
  timingSafeEqual(Buffer.from(one, 'hex'), Buffer.from(other, 'hex'));

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');
