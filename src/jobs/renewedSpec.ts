import { isDeepStrictEqual } from 'node:util';
import type { JobSpec } from '../../machines/vocabulary.ts';
import { LINKS_MAX } from './jobRequest.ts';

/** What a command that is given again may change of a job: the ways to the stream and its limits, not what is recorded of it. */
const WAYS = [
  'fallbacks',
  'dual',
  'headers',
  'proxy',
  'cookies',
  'reach',
  'bytesPerSecondMax',
  'watch',
] as const;
export type Way = (typeof WAYS)[number];

/**
 * An unfinished job's spec with the ways to the stream that a new command names; what it does not name stays. New links come behind
 * those that there are: the journal names sources by their numbers.
 */
export function renewedSpec(
  held: JobSpec,
  asked: JobSpec,
): { readonly spec: JobSpec; readonly changed: readonly Way[] } {
  const { dual, headers, proxy, cookies, bytesPerSecondMax, watch } = asked;
  // The links that stay have to be reached as before.
  const reach = [...new Set([...(held.reach ?? []), ...(asked.reach ?? [])])];
  const links = new Set([...(held.fallbacks ?? []), ...(asked.fallbacks ?? [])]);
  const fallbacks = [...links].slice(0, LINKS_MAX - 1);
  const spec: JobSpec = {
    ...held,
    ...(fallbacks.length > 0 && { fallbacks }),
    ...(dual !== undefined && { dual }),
    ...(headers && Object.keys(headers).length > 0 && { headers }),
    ...(proxy !== undefined && { proxy }),
    ...(cookies !== undefined && { cookies }),
    ...(reach.length > 0 && { reach }),
    ...(bytesPerSecondMax !== undefined && { bytesPerSecondMax }),
    ...(watch && { watch: { ...held.watch, ...watch } }),
  };
  const changed = WAYS.filter((way) => !isDeepStrictEqual(held[way], spec[way]));
  // That a new way may be gone goes without saying.
  const isImplied = changed.includes('fallbacks') || changed.includes('proxy');
  return { spec, changed: changed.filter((way) => way !== 'reach' || !isImplied) };
}
