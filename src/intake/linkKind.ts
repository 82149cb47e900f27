import { KennelError } from '../core/errors.ts';
import { percentDecoded } from '../core/percentDecoded.ts';
import type { LinkKind } from './link.ts';

/** Schemes that say it all. */
const SCHEMES: Readonly<Record<string, LinkKind>> = {
  'rtmp:': 'rtmp',
  'rtmps:': 'rtmp',
  'rtmpe:': 'rtmp',
  'rtmpt:': 'rtmp',
  'rtmpte:': 'rtmp',
  'rtmpts:': 'rtmp',
  'rtsp:': 'rtsp',
  'rtsps:': 'rtsp',
  'srt:': 'srt',
};

/** For people: what a link may begin with. */
export const LINK_SCHEMES_TEXT = 'http, https, rtmp, rtsp or srt';

/**
 * What an http address looks like, the first that fits. Packagers such as Microsoft's and Unified Streaming's name the format
 * behind the manifest; the other way to name it is the end of the path. A manifest may stand in the middle of a path or in the
 * query too, but so it does in pages that talk about manifests.
 */
const HTTP_PATTERNS: readonly (readonly [RegExp, LinkKind])[] = [
  [/\/manifest\(format=m3u8[^)]*\)/i, 'hls'],
  [/\/manifest\(format=mpd[^)]*\)/i, 'dash'],
  [/[?&]format=m3u8(?:-aapl|-cmaf)?(?:[-&]|$)/i, 'hls'],
  [/[?&]format=mpd(?:-time-csf|-time-cmaf)?(?:[-&]|$)/i, 'dash'],
  [/^[^?]*\.m3u8?(?:\?|$)/i, 'hls'],
  [/^[^?]*\.mpd(?:\?|$)/i, 'dash'],
  [
    /^[^?]*\.(?:mp4|m4v|m4a|mov|mkv|webm|flv|ts|m2ts|mpg|mpeg|avi|ogg|ogv|oga|opus|mp3|aac|flac|wav|3gp|wmv)(?:\?|$)/i,
    'file',
  ],
];

/**
 * What a link looks like, from its text alone. Throws `url.invalid` for a scheme that nothing here records.
 */
export function linkKind(link: URL): LinkKind {
  const { protocol, pathname, search } = link;
  const named = Object.hasOwn(SCHEMES, protocol) ? SCHEMES[protocol] : undefined;
  if (named !== undefined) return named;
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new KennelError(
      'url.invalid',
      `A link of the kind ${protocol}… cannot be recorded; it begins with ${LINK_SCHEMES_TEXT}.`,
      { details: { scheme: protocol.slice(0, -1) } },
    );
  }
  // A question mark of the path does not begin the query.
  const text = percentDecoded(pathname).replaceAll('?', '%3f') + search;
  return HTTP_PATTERNS.find(([pattern]) => pattern.test(text))?.[1] ?? 'page';
}
