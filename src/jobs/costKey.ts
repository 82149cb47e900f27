import type { JobSpec } from '../../machines/vocabulary.ts';
import { linkKind } from '../intake/linkKind.ts';

/** Wishes that lead to one bit rate are worth telling apart; the rest of a list is seldom taken. */
const WISH_CHARACTERS_MAX = 20;

/**
 * What a job's cost is learnt and looked up by: how it is recorded, where from, and what of it, such as
 * `hls|example.org|best`. What is behind a page is not known before it is asked: pages are a kind of their own.
 */
export function costKey({ url, recorder, quality, audioOnly = false }: JobSpec): string {
  const link = new URL(url);
  const kind = recorder === undefined || recorder === 'native' ? linkKind(link) : recorder;
  const [wish = 'best'] = quality;
  return [kind, link.hostname, audioOnly ? 'sound' : wish.slice(0, WISH_CHARACTERS_MAX)].join('|');
}
