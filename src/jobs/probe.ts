import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import type { JobSpec } from '../../machines/vocabulary.ts';
import { isKennelError, KennelError, messageOf } from '../core/errors.ts';
import type { MasterPlaylist, MediaPlaylist } from '../hls/playlist/model.ts';
import { PLAYLIST_CHARACTERS_MAX, parsePlaylist } from '../hls/playlist/parsePlaylist.ts';
import { takeCookies } from '../hls/source/jobCookies.ts';
import { playlistAnswer } from '../hls/source/playlistAnswer.ts';
import { type ProbeTransportOptions, probeTransport } from '../hls/source/probeTransport.ts';
import type { ResolvedLink, ResolveLink, ResolveOptions } from '../intake/link.ts';
import type { MediaFacts } from '../intake/mediaFacts.ts';
import { type MediaInfo, probeFile } from '../media/probe.ts';
import { type JobRequest, jobSpec } from './jobRequest.ts';

/** A server that says nothing for so long is not asked any more, milliseconds. */
const IDLE_TIMEOUT_MS = 10_000;
/** Enough of a file to tell a playlist from media. */
const PLAYLIST_HEAD = /^\ufeff?\s*#EXTM3U/;

/** What is behind a link that is not told by its playlist. Cookies and headers are left out: they may be secret. */
export interface ProbedLink {
  readonly kind: ResolvedLink['kind'];
  readonly resolver?: string;
  readonly title?: string;
  readonly uploader?: string;
  readonly isLive?: boolean;
  readonly durationMs?: number;
  /** Where the media is. */
  readonly url: string;
  readonly audioUrl?: string;
  /** When that stops working, ISO 8601. */
  readonly expiresAt?: string;
  readonly formats: ResolvedLink['formats'];
  /** Who would record it; absent: that could not be told. */
  readonly recorder?: string;
  /** Why nobody would. */
  readonly recorderProblem?: ProbeRefusal;
}

export interface ProbeRefusal {
  readonly code: string;
  readonly message: string;
}

/** A playlist, a file, or the streams of a source. */
export type Probed = (
  | MasterPlaylist
  | MediaPlaylist
  | (MediaInfo & { readonly kind: 'file' })
  | { readonly kind: 'stream'; readonly media?: MediaFacts; readonly mediaProblem?: ProbeRefusal }
) & { readonly link?: ProbedLink };

/** What probing asks of the rest of Kennel. */
export interface ProbeParts extends ProbeTransportOptions {
  /** See `linkResolver`. */
  readonly resolve: ResolveLink;
  /** Who would record it. Rejects with a KennelError when nobody can. */
  recorderFor?(link: ResolvedLink, spec: JobSpec): Promise<string>;
  /** What it consists of, as far as that can be found out; see `ffprobe`. */
  mediaOf?(link: ResolvedLink, options: ResolveOptions): Promise<MediaFacts | undefined>;
}

export interface ProbeOptions {
  readonly target: string;
  readonly signal: AbortSignal;
  /** How the link is to be asked; `url` is the target. */
  readonly request?: Omit<JobRequest, 'url'>;
  /** Made when the target is a link. */
  parts(): Promise<ProbeParts>;
}

/**
 * Tells what is behind a link and who would record it, or what is in a file: a playlist, or the tracks of media.
 *
 * @throws KennelError `source.…`, `playlist.invalid`, `usage.invalid`, `url.invalid`, `address.refused`, `tool.…`
 */
export async function probe(options: ProbeOptions): Promise<Probed> {
  const { target, signal } = options;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(target)) return await probeLink(options);
  let bytes: Buffer;
  try {
    bytes = await readFile(target);
  } catch (error) {
    throw new KennelError('usage.invalid', `${target} cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
  const text = bytes.toString('utf8');
  const isPlaylist = PLAYLIST_HEAD.test(text.slice(0, 1_024)) || /\.m3u8?$/i.test(target);
  if (isPlaylist) return parsePlaylist(text, pathToFileURL(target));
  return { kind: 'file', ...(await probeFile(target, { environment: {}, signal })) };
}

async function probeLink({ target, request, signal, parts: open }: ProbeOptions): Promise<Probed> {
  const spec = jobSpec({ ...request, url: target });
  const parts = await open();
  const { quality, format, audioOnly, headers, cookies, proxy, reach } = spec;
  const wishes = { signal, quality, format, audioOnly, headers, cookies, proxy, reach };
  const link = await parts.resolve(new URL(target), wishes);
  const described = { ...describe(link), ...(await recorderOf(link, spec, parts)) };
  if (link.kind === 'hls') {
    return {
      ...(await playlistOf(link, { wishes, parts, page: new URL(target) })),
      link: described,
    };
  }
  return { kind: 'stream', ...(await mediaOf(link, wishes, parts)), link: described };
}

async function playlistOf(
  { url, headers: asked, cookies: baked }: ResolvedLink,
  {
    wishes,
    parts,
    page,
  }: { readonly wishes: ResolveOptions; readonly parts: ProbeParts; readonly page: URL },
): Promise<MasterPlaylist | MediaPlaylist> {
  const { transport, cookies, headers } = await probeTransport(page, wishes, parts);
  headers.learn(asked, [url]);
  if (baked !== undefined) {
    await takeCookies(cookies, baked, { links: [page, url], now: parts.clock.now() });
  }
  const { signal } = wishes;
  const answer = await playlistAnswer({ transport, url, signal, timeoutMs: IDLE_TIMEOUT_MS });
  return parsePlaylist(answer.text.slice(0, PLAYLIST_CHARACTERS_MAX), answer.url);
}

async function recorderOf(
  link: ResolvedLink,
  spec: JobSpec,
  { recorderFor }: ProbeParts,
): Promise<Pick<ProbedLink, 'recorder' | 'recorderProblem'>> {
  if (spec.recorder !== undefined) return { recorder: spec.recorder };
  if (link.kind === 'hls') return { recorder: 'native' };
  try {
    const recorder = await recorderFor?.(link, spec);
    return recorder === undefined ? {} : { recorder };
  } catch (error) {
    return { recorderProblem: refusalOf(error) };
  }
}

async function mediaOf(
  link: ResolvedLink,
  wishes: ResolveOptions,
  parts: ProbeParts,
): Promise<{ readonly media?: MediaFacts; readonly mediaProblem?: ProbeRefusal }> {
  try {
    const media = await parts.mediaOf?.(link, wishes);
    return media === undefined ? {} : { media };
  } catch (error) {
    wishes.signal.throwIfAborted();
    return { mediaProblem: refusalOf(error) };
  }
}

function refusalOf(error: unknown): ProbeRefusal {
  if (!isKennelError(error)) throw error;
  return { code: error.code, message: error.message };
}

function describe(link: ResolvedLink): ProbedLink {
  const { kind, resolver, title, uploader, isLive, durationMs, url, audioUrl, formats } = link;
  return {
    kind,
    ...(resolver !== undefined && { resolver }),
    ...(title !== undefined && { title }),
    ...(uploader !== undefined && { uploader }),
    ...(isLive !== undefined && { isLive }),
    ...(durationMs !== undefined && { durationMs }),
    url: url.href,
    ...(audioUrl && { audioUrl: audioUrl.href }),
    ...(link.expiresAt !== undefined && { expiresAt: new Date(link.expiresAt).toISOString() }),
    formats,
  };
}
