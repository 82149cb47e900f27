import type { Clock } from '../core/clock.ts';
import { isKennelError, KennelError } from '../core/errors.ts';
import type { LinkKind } from './link.ts';

/** What is asked of a transport: one GET, as the native engine's does it. */
export interface LookTransport {
  get(request: {
    readonly url: URL;
    readonly headers?: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
    readonly bodyBytesMax: number;
    readonly idleTimeoutMs: number;
    onHead?(head: {
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
    }): void;
    onData(bytes: Uint8Array): void;
  }): Promise<{ readonly status: number; readonly headers: Readonly<Record<string, string>> }>;
}

export interface LookOptions {
  readonly transport: LookTransport;
  readonly link: URL;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** What answered at an address. */
export interface LinkLook {
  readonly kind: LinkKind;
  readonly status: number;
}

/** Enough of a body to tell what it is, bytes: three packets of MPEG-TS, or a manifest behind a licence comment. */
const HEAD_BYTES = 1_024;
/** Silence after which a host is not looked at any longer, and the most that a look may take, milliseconds. */
const IDLE_MS = 5_000;
const LOOK_MS = 10_000;

const CONTENT_TYPES: readonly (readonly [RegExp, LinkKind])[] = [
  [/mpegurl/i, 'hls'],
  [/dash\+xml/i, 'dash'],
  [/^(?:video|audio)\//i, 'file'],
];

/**
 * Looks at the beginning of what an address answers, and lets go. Never rejects for a status. Rejects as the transport does, with
 * `timeout.exceeded`, and with the signal's reason.
 */
export async function lookAtLink(options: LookOptions): Promise<LinkLook> {
  const { transport, link, clock, signal } = options;
  const over = new AbortController();
  const pass = () => over.abort(signal.reason);
  if (signal.aborted) pass();
  signal.addEventListener('abort', pass, { once: true });
  const timer = clock.setTimeout(() => over.abort(lookedTooLong(link)), LOOK_MS);
  const head = Buffer.alloc(HEAD_BYTES);
  let filled = 0;
  let seen = { status: 200, type: '' };
  try {
    const { status } = await transport.get({
      url: link,
      signal: over.signal,
      // Of a stream without an end only the beginning is read; its length is no reason to refuse it.
      bodyBytesMax: Number.MAX_SAFE_INTEGER,
      idleTimeoutMs: IDLE_MS,
      onHead: ({ status: code, headers }) => {
        seen = { status: code, type: headers['content-type'] ?? '' };
      },
      onData: (bytes) => {
        filled += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).copy(head, filled);
        if (filled === HEAD_BYTES) over.abort(seenEnough);
      },
    });
    if (status < 200 || status > 299) return { kind: 'page', status };
  } catch (error) {
    if (over.signal.reason !== seenEnough) throw error;
  } finally {
    clock.clearTimeout(timer);
    signal.removeEventListener('abort', pass);
  }
  return { kind: kindOfAnswer(seen.type, head.subarray(0, filled)), status: seen.status };
}

/** What a body is, by its first bytes, and by its media type where these do not tell. */
export function kindOfAnswer(contentType: string, head: Uint8Array): LinkKind {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.length);
  const text = bytes
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart();
  if (text.startsWith('#EXTM3U')) return 'hls';
  if (/^(?:<\?xml[^>]*>\s*)?(?:<!--[\s\S]*?-->\s*)*<MPD[\s>]/.test(text)) return 'dash';
  if (/^<(?:!doctype|html|head|body)/i.test(text)) return 'page';
  if (isMedia(bytes)) return 'file';
  const named = CONTENT_TYPES.find(([pattern]) => pattern.test(contentType.trim()))?.[1];
  // An origin that calls an empty or broken answer a playlist means one: the engine asks again.
  return named ?? 'page';
}

function isMedia(bytes: Buffer): boolean {
  // One packet of MPEG-TS and the next: a G alone is no packet.
  if (bytes[0] === 0x47 && bytes[188] === 0x47) return true;
  const box = bytes.toString('latin1', 4, 8);
  if (['ftyp', 'styp', 'moov', 'moof', 'sidx'].includes(box)) return true;
  const first = bytes.toString('latin1', 0, 4);
  // FLV, Matroska and WebM, Ogg, MP3 with a tag.
  return (
    first.startsWith('FLV') ||
    first === '\u001aE\u00df\u00a3' ||
    first === 'OggS' ||
    first.startsWith('ID3')
  );
}

const seenEnough = new Error('enough of the answer was seen');

const lookedTooLong = ({ host }: URL): KennelError =>
  new KennelError('timeout.exceeded', `${host} did not answer within ${LOOK_MS / 1_000} s.`, {
    retryable: true,
  });

/** Whether a failed look says nothing but that nobody is there. */
export const isNobodyThere = (error: unknown): error is KennelError =>
  isKennelError(error) &&
  (error.code === 'source.unavailable' || error.code === 'timeout.exceeded');
