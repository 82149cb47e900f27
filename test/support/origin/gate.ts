import type { ResolvedOptions } from './streamOptions.ts';

/** Who may fetch what: tokens of segments, passes of playlists, cookies. Pure. */

const COOKIE = 'seat=12A';

/** What the playlist's answer says so that the next requests are let in. */
export const cookieHeader = ({ cookies }: ResolvedOptions): Readonly<Record<string, string>> =>
  cookies ? { 'set-cookie': `${COOKIE}; Path=/; HttpOnly` } : {};

/** The query of segment, key and init addresses. */
export const tokenQuery = ({ tokens }: ResolvedOptions, elapsedMs: number): string =>
  tokens === undefined ? '' : `?token=${Math.floor(elapsedMs / tokens.rotateMs)}`;

/** The query of the playlist's own address, as a master playlist names it now. */
export function playlistQuery({ passes, define }: ResolvedOptions, elapsedMs: number): string {
  const query = new URLSearchParams();
  if (passes !== undefined) query.set('pass', String(Math.floor(elapsedMs)));
  if (define === 'query') query.set(VARIABLE, FOLDER);
  return query.size === 0 ? '' : `?${query}`;
}

/** EXT-X-DEFINE: the name of the one variable, and its value. */
export const VARIABLE = 'folder';
export const FOLDER = 'media';

export function admitsPlaylist({ passes }: ResolvedOptions, url: URL, elapsedMs: number): boolean {
  if (passes === undefined) return true;
  const bornMs = numberIn(url.searchParams.get('pass'));
  return bornMs !== undefined && elapsedMs < bornMs + passes.validMs;
}

/** Whether a segment, key or init section may be fetched. */
export function admitsMedia(
  { tokens, cookies, define }: ResolvedOptions,
  { url, cookie, elapsedMs }: { url: URL; cookie: string | undefined; elapsedMs: number },
): boolean {
  if (cookies && !(cookie ?? '').split(/; */).includes(COOKIE)) return false;
  if (define !== undefined && url.pathname.split('/').at(-2) !== FOLDER) return false;
  if (tokens === undefined) return true;
  const number = numberIn(url.searchParams.get('token'));
  return number !== undefined && elapsedMs < number * tokens.rotateMs + tokens.validMs;
}

const numberIn = (text: string | null): number | undefined =>
  text === null || !/^\d+$/.test(text) ? undefined : Number(text);
