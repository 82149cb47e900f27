import { KennelError } from '../core/errors.ts';
import type { LinkKind, ResolvedLink, ResolveOptions } from './link.ts';
import type { Info, RawFormat } from './ytDlpJson.ts';

export interface MediaOptions {
  /** The page. */
  readonly link: URL;
  readonly wishes: Pick<ResolveOptions, 'quality' | 'format' | 'audioOnly'>;
}

/** What yt-dlp has chosen: one format, or picture and sound. What is live is taken as HLS where it is that too: Kennel records it by itself. */
export function chosenOf(info: Info, prefersHls: boolean): readonly RawFormat[] {
  const requested = info.requested_formats ?? [];
  const chosen = requested.length > 0 ? requested : [info];
  if (!prefersHls || chosen.some(isHls)) return chosen;
  const hls = (info.formats ?? []).filter((format) => isHls(format) && format.has_drm !== true);
  const best = hls.findLast(({ vcodec }) => vcodec !== 'none') ?? hls.at(-1);
  return best === undefined ? chosen : [best];
}

const isHls = ({ protocol }: RawFormat): boolean => /^m3u8/.test(protocol ?? '');

/** Where the media is. */
export type Media = Pick<ResolvedLink, 'kind' | 'url' | 'audioUrl'>;

export function mediaOf(chosen: readonly RawFormat[], { link, wishes }: MediaOptions): Media {
  const [first, second] = chosen;
  const picture = chosen.find(({ vcodec }) => vcodec !== 'none') ?? first;
  const url = URL.parse(picture?.url ?? '');
  if (first === undefined || picture === undefined || url === null) {
    throw new KennelError('source.unsupported', 'The page has no media that has an address.');
  }
  // What only yt-dlp can put together stays a page: it records it itself.
  const asPage: Media = { kind: 'page', url: link };
  const sound = second && chosen.find((format) => format !== picture);
  const audioUrl = URL.parse(sound?.url ?? '');
  if (isHls(picture)) {
    // Programs that read HLS read files too.
    if (webUrl(url.href) === undefined) {
      throw new KennelError(
        'source.unsupported',
        'The page leads to something that is no web address.',
      );
    }
    return hlsOf({ picture, sound, url, wishes }) ?? asPage;
  }
  if (/^http_dash_segments$/.test(picture.protocol ?? '')) {
    const manifest = webUrl(picture.manifest_url);
    return manifest === undefined ? asPage : { kind: 'dash', url: manifest };
  }
  const kind = directKind(picture, url);
  if (kind === undefined || chosen.length > 2) return asPage;
  if (sound === undefined) return { kind, url };
  const fits = audioUrl !== null && directKind(sound, audioUrl) === kind;
  return fits ? { kind, url, audioUrl } : asPage;
}

/**
 * The master playlist, so that the native engine chooses variant and renditions; the format's own playlist where just this one
 * was asked for, or nothing but its sound. Undefined for picture and sound of two playlists that no master brings together, or that
 * were asked for by name: the engine would record another pair, or the picture alone.
 */
function hlsOf({
  picture,
  sound,
  url,
  wishes: { format, audioOnly },
}: {
  readonly picture: RawFormat;
  readonly sound: RawFormat | undefined;
  readonly url: URL;
  readonly wishes: MediaOptions['wishes'];
}): Media | undefined {
  const master = webUrl(picture.manifest_url);
  if (sound !== undefined) {
    return master === undefined || format !== undefined ? undefined : { kind: 'hls', url: master };
  }
  const isSoundAlone = audioOnly === true && picture.vcodec === 'none';
  if (master === undefined || isSoundAlone || format !== undefined) return { kind: 'hls', url };
  return { kind: 'hls', url: master };
}

function directKind({ protocol, play_path }: RawFormat, url: URL): LinkKind | undefined {
  if (protocol === 'http' || protocol === 'https') return webUrl(url.href) && 'file';
  if (/^rtmp/.test(protocol ?? '') && /^rtmp/.test(url.protocol))
    return play_path ? undefined : 'rtmp';
  return protocol === 'rtsp' && /^rtsps?:$/.test(url.protocol) ? 'rtsp' : undefined;
}

function webUrl(link: string | null | undefined): URL | undefined {
  const url = URL.parse(link ?? '');
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined;
}
