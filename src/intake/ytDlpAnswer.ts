import { KennelError } from '../core/errors.ts';
import { printable } from './controlCharacters.ts';
import { isWished } from './formatFilter.ts';
import type { LinkFormat, LinkKind, ResolvedLink } from './link.ts';
import { urlExpiry } from './urlExpiry.ts';
import { type Info, infoSchema, type RawFormat } from './ytDlpJson.ts';
import { chosenOf, type MediaOptions, mediaOf } from './ytDlpMedia.ts';

/** Of others' words, characters. */
const TITLE_CHARACTERS_MAX = 300;
const WORD_CHARACTERS_MAX = 64;
/** Formats that are told of; the best are last, and kept. */
const FORMATS_MAX = 200;
/** Entries of a list that a refusal names. */
const ENTRIES_NAMED_MAX = 3;

/** Set by Kennel, by the transport or by the cookie jar. */
const HEADERS_LEFT_OUT: ReadonlySet<string> = new Set([
  'cookie',
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'accept-encoding',
  'range',
  'te',
  'upgrade',
  'expect',
  'keep-alive',
  'trailer',
  'proxy-authorization',
  'proxy-connection',
]);

export interface AnswerOptions extends MediaOptions {
  /** Who answered. */
  readonly resolver: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly now: number;
}

/** Another page, which is to be asked about. */
export interface Onward {
  readonly onward: URL;
}

/**
 * What yt-dlp's `-J` says. Throws `tool.failed` when it is no JSON of this kind, `source.list`, `source.notLive`,
 * `source.encrypted`, `source.unsupported`, `quality.notFound`.
 */
export function ytDlpAnswer(json: string, options: AnswerOptions): ResolvedLink | Onward {
  const info = infoSchema.safeParse(parsed(json)).data;
  if (info === undefined) throw garbage();
  const { entries } = info;
  if (entries !== undefined && entries !== null) return ofList(info, entries, options);
  return ofInfo(info, options);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw garbage(error);
  }
}

const garbage = (cause?: unknown): KennelError =>
  new KennelError('tool.failed', 'yt-dlp said nothing that can be understood.', {
    cause,
    retryable: true,
  });

function ofList(
  list: Info,
  entries: readonly unknown[],
  options: AnswerOptions,
): ResolvedLink | Onward {
  const infos: Info[] = entries.flatMap((entry) => {
    const { data } = infoSchema.safeParse(entry);
    return data === undefined ? [] : [data];
  });
  const [only] = infos;
  if (only === undefined) {
    throw new KennelError('source.unsupported', 'The page is a list, and nothing is in it.');
  }
  const count = Math.max(infos.length, list.playlist_count ?? 0);
  if (count === 1) return ofInfo({ ...only, title: only.title ?? list.title }, options);
  const named = infos
    .slice(0, ENTRIES_NAMED_MAX)
    .map(({ title, url }) => printable(title ?? withoutQuery(url) ?? '?', TITLE_CHARACTERS_MAX));
  throw new KennelError(
    'source.list',
    `The page is a list of ${count} broadcasts (${named.join('; ')}${count > named.length ? '; …' : ''}). Give the link of one of them.`,
    { details: { count, first: named } },
  );
}

function withoutQuery(link: string | null | undefined): string | undefined {
  const url = URL.parse(link ?? '');
  return url === null ? undefined : url.origin + url.pathname;
}

function ofInfo(info: Info, options: AnswerOptions): ResolvedLink | Onward {
  if (info._type === 'url' || info._type === 'url_transparent') {
    const onward = URL.parse(info.url ?? '');
    if (onward?.protocol === 'http:' || onward?.protocol === 'https:') return { onward };
    throw new KennelError('source.unsupported', 'The page leads to something that is no web page.');
  }
  if (info.live_status === 'is_upcoming') {
    throw new KennelError(
      'source.notLive',
      'The broadcast has not begun. Give --wait to wait for it.',
      {
        retryable: true,
      },
    );
  }
  const formats = info.formats ?? [];
  if (formats.length > 0 && formats.every(({ has_drm }) => has_drm === true)) {
    throw new KennelError(
      'source.encrypted',
      'All of it is protected by DRM, which Kennel does not record.',
    );
  }
  const isLive = info.is_live ?? (info.live_status === 'is_live' || undefined);
  const chosen = chosenOf(info, isLive === true && options.wishes.format === undefined);
  const media = mediaOf(chosen, options);
  assertWished(media.kind, chosen, { formats, options });
  const { now } = options;
  const expiries = [media.url, media.audioUrl].flatMap(
    (url) => (url && urlExpiry(url, { now })) ?? [],
  );
  const { title, duration } = info;
  const uploader = info.uploader ?? info.channel;
  return {
    ...media,
    headers: headersOf(chosen[0]?.http_headers ?? info.http_headers ?? {}),
    ...(expiries.length > 0 && { expiresAt: Math.min(...expiries) }),
    ...(isLive !== undefined && { isLive }),
    ...(title && { title: printable(title, TITLE_CHARACTERS_MAX) }),
    ...(uploader && { uploader: printable(uploader, TITLE_CHARACTERS_MAX) }),
    ...(duration && duration > 0 && { durationMs: Math.round(duration * 1_000) }),
    formats: (formats.length > 0 ? formats : chosen).slice(-FORMATS_MAX).map(described),
    resolver: options.resolver,
  };
}

/** HLS is chosen from by the native engine, and an own `format` was chosen by yt-dlp. */
function assertWished(
  kind: LinkKind,
  chosen: readonly RawFormat[],
  { formats, options }: { readonly formats: readonly RawFormat[]; readonly options: AnswerOptions },
): void {
  const { quality, format, audioOnly } = options.wishes;
  const picture = chosen.find(({ vcodec }) => vcodec !== 'none');
  if (kind === 'hls' || format !== undefined || audioOnly === true || picture === undefined) return;
  if (isWished(quality, described(picture))) return;
  const heights = formats.flatMap(({ width, height }) =>
    height ? [`${Math.min(width ?? height, height)}p`] : [],
  );
  const available = [...new Set(heights)];
  throw new KennelError(
    'quality.notFound',
    `None of ${quality.join(', ')} is there. The source has: ${available.join(', ') || 'one quality'}. Ask for one of these, or add best.`,
    { details: { wishes: quality, available } },
  );
}

function described(format: RawFormat): LinkFormat {
  const { format_id, protocol, ext, width, height, fps, tbr, vcodec, acodec, language } = format;
  const word = (value: string | null | undefined) =>
    value ? printable(value, WORD_CHARACTERS_MAX) : undefined;
  const container = word(ext);
  const spoken = word(language);
  const videoCodec = word(vcodec);
  const audioCodec = word(acodec);
  return {
    id: word(format_id) ?? '?',
    protocol: word(protocol) ?? '?',
    ...(container && { container }),
    ...(width && { width }),
    ...(height && { height }),
    ...(fps && { framesPerSecond: fps }),
    ...(tbr && { bitsPerSecond: Math.round(tbr * 1_000) }),
    ...(videoCodec && { videoCodec }),
    ...(audioCodec && { audioCodec }),
    ...(spoken && { language: spoken }),
  };
}

/** Those that HTTP allows and that are nobody else's to set. */
function headersOf(raw: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(raw).filter(
    ([name, value]) =>
      /^[\w!#$%&'*+.^`|~-]+$/.test(name) &&
      /^[\t\x20-\x7e\x80-\xff]*$/.test(value) &&
      !HEADERS_LEFT_OUT.has(name.toLowerCase()),
  );
  return Object.fromEntries(kept);
}
