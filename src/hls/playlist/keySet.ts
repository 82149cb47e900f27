import { KennelError } from '../../core/errors.ts';
import type { Attributes } from './attributes.ts';
import { invalidPlaylist } from './invalidPlaylist.ts';
import type { SegmentEncryption } from './model.ts';
import { httpUrl } from './segmentIdentity.ts';

/** KEYFORMATs by the name that people know. The UUIDs are those of the DASH-IF registry of content protection systems. */
const SYSTEMS: Readonly<Record<string, string>> = {
  'com.apple.streamingkeydelivery': 'FairPlay',
  'urn:uuid:94ce86fb-07ff-4f43-adb8-93d2fa968ca2': 'FairPlay',
  'com.widevine': 'Widevine',
  'urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed': 'Widevine',
  'com.microsoft.playready': 'PlayReady',
  'urn:uuid:9a04f079-9840-4286-ab92-e65be0885f95': 'PlayReady',
  'org.w3.clearkey': 'ClearKey',
  'urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e': 'ClearKey',
};

/** The KEYFORMAT of a plain key, and of a line that names none. */
const IDENTITY = 'identity';

/** An initialisation vector has 128 bits. */
const IV_HEX_DIGITS = 32;

/** Key formats in force at once. There are about ten systems in all; without a bound, many lines would cost their square. */
const FORMATS_MAX = 32;

/**
 * The EXT-X-KEY lines that count at one place of a playlist: one for each KEYFORMAT, until another of the same format or
 * METHOD=NONE comes. They are judged only when media stand under them: what is settled or passed over harms nobody.
 */
export class KeySet {
  readonly #base: URL;
  readonly #byFormat: ReadonlyMap<string, Attributes>;
  #encryption: SegmentEncryption | 'unread' | undefined = 'unread';

  private constructor(base: URL, byFormat: ReadonlyMap<string, Attributes>) {
    this.#base = base;
    this.#byFormat = byFormat;
  }

  static none(base: URL): KeySet {
    return new KeySet(base, new Map());
  }

  /** Goes on under what an earlier playlist was encrypted with. */
  static resumed(base: URL, encryption: SegmentEncryption | undefined): KeySet {
    if (encryption === undefined) return KeySet.none(base);
    const { method, url, iv } = encryption;
    const attributes = new Map([
      ['METHOD', method],
      ['URI', url.href],
    ]);
    if (iv !== undefined) attributes.set('IV', `0x${iv}`);
    return new KeySet(base, new Map([[IDENTITY, attributes]]));
  }

  /** The lines that count after one more. Throws `playlist.invalid` when they are too many. */
  with(attributes: Attributes): KeySet {
    if (attributes.get('METHOD') === 'NONE') return KeySet.none(this.#base);
    const format = attributes.get('KEYFORMAT') ?? IDENTITY;
    const byFormat = new Map([...this.#byFormat, [format, attributes]]);
    if (byFormat.size > FORMATS_MAX) throw invalidPlaylist('it has too many EXT-X-KEY at once');
    return new KeySet(this.#base, byFormat);
  }

  /**
   * What decrypts the media that stand here; undefined: they are clear. An AES-128 key that can be fetched is taken before any
   * other that is in force beside it. Throws `source.encrypted` for what only a player with a licence can decrypt,
   * `playlist.invalid` for a key that cannot be read.
   */
  get encryption(): SegmentEncryption | undefined {
    if (this.#encryption === 'unread') this.#encryption = this.#judge();
    return this.#encryption;
  }

  #judge(): SegmentEncryption | undefined {
    if (this.#byFormat.size === 0) return undefined;
    const plain = this.#byFormat.get(IDENTITY);
    if (plain?.get('METHOD') === 'AES-128') return plainKey(plain, this.#base);
    if ([...this.#byFormat.values()].some((attributes) => !attributes.get('METHOD'))) {
      throw invalidPlaylist('an EXT-X-KEY has no method');
    }
    throw protectedMedia(this.#byFormat);
  }
}

function plainKey(attributes: Attributes, base: URL): SegmentEncryption {
  const url = httpUrl(attributes.get('URI'), base);
  if (url === undefined) throw invalidPlaylist('an EXT-X-KEY has no usable address');
  const vector = attributes.get('IV');
  if (vector === undefined) return { method: 'AES-128', url };
  const [, digits] = /^0x([0-9a-f]{1,32})$/i.exec(vector) ?? [];
  if (digits === undefined) throw invalidPlaylist('an EXT-X-KEY has an unreadable IV', vector);
  return { method: 'AES-128', url, iv: digits.toLowerCase().padStart(IV_HEX_DIGITS, '0') };
}

function protectedMedia(keys: ReadonlyMap<string, Attributes>): KennelError {
  const formats = [...keys.keys()];
  const methods = [...new Set([...keys.values()].map((key) => key.get('METHOD') ?? ''))];
  const foreign = formats.filter((format) => format !== IDENTITY);
  const systems = [...new Set(foreign.map((format) => systemName(format)))];
  const by = systems.length === 0 ? '' : ` (${systems.join(', ')})`;
  return new KennelError(
    'source.encrypted',
    `The stream is protected with ${methods.join(', ')}${by}; Kennel does not record protected streams.`,
    { details: { methods, formats, systems } },
  );
}

function systemName(format: string): string {
  const known = format.toLowerCase();
  return Object.hasOwn(SYSTEMS, known) ? (SYSTEMS[known] ?? format) : format;
}
