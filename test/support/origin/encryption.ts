import { createCipheriv, createHash } from 'node:crypto';

export interface Encryption {
  /** `SAMPLE-AES` is announced only, to be refused: the media stays in clear. */
  readonly method: 'AES-128' | 'SAMPLE-AES';
  /** A new key for every so many segments. */
  readonly rotateEvery: number;
  /** The playlist names the IV; otherwise it is the media sequence number (RFC 8216 §5.2). */
  readonly explicitIv: boolean;
}

const BLOCK_BYTES = 16;

const digest = (text: string): Buffer =>
  createHash('sha256').update(text).digest().subarray(0, BLOCK_BYTES);

/** The number of the key of a segment. */
export const keyNumber = ({ rotateEvery }: Encryption, index: number): number =>
  Math.floor(index / rotateEvery);

/** Keys are the same in every run, so that a failure can be repeated. */
export const keyOf = (number: number): Buffer => digest(`key ${number}`);

const explicitIv = (number: number): Buffer => digest(`iv ${number}`);

/** The attributes of EXT-X-KEY for a segment. */
export function keyTag(encryption: Encryption, index: number, query: string): string {
  const number = keyNumber(encryption, index);
  const iv = encryption.explicitIv ? `,IV=0x${explicitIv(number).toString('hex')}` : '';
  return `METHOD=${encryption.method},URI="key-${number}.bin${query}"${iv}`;
}

/** The bytes of a segment as they go over the wire. */
export function encrypt(
  encryption: Encryption,
  { index, msn }: { readonly index: number; readonly msn: number },
  body: Uint8Array,
): Uint8Array {
  if (encryption.method !== 'AES-128') return body;
  const number = keyNumber(encryption, index);
  const iv = encryption.explicitIv ? explicitIv(number) : Buffer.alloc(BLOCK_BYTES);
  if (!encryption.explicitIv) iv.writeBigUInt64BE(BigInt(msn), BLOCK_BYTES / 2);
  const cipher = createCipheriv('aes-128-cbc', keyOf(number), iv);
  return Buffer.concat([cipher.update(body), cipher.final()]);
}
