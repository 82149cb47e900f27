import { isDeepStrictEqual } from 'node:util';
import type { JobSpec } from '../../machines/vocabulary.ts';
import { LINKS_MAX } from './jobRequest.ts';

/** What a command that is given again may change of a job: the ways to the stream, not what is recorded of it. */
const WAYS = ['fallbacks', 'dual', 'headers', 'proxy'] as const;
export type Way = (typeof WAYS)[number];

/**
 * An unfinished job's spec with the ways to the stream that a new command names; what it does not name stays. New links come behind
 * those that there are: the journal names sources by their numbers.
 */
export function renewedSpec(
  held: JobSpec,
  asked: JobSpec,
): { readonly spec: JobSpec; readonly changed: readonly Way[] } {
  const { dual, headers, proxy } = asked;
  const links = new Set([...(held.fallbacks ?? []), ...(asked.fallbacks ?? [])]);
  const fallbacks = [...links].slice(0, LINKS_MAX - 1);
  const spec: JobSpec = {
    ...held,
    ...(fallbacks.length > 0 && { fallbacks }),
    ...(dual !== undefined && { dual }),
    ...(headers && Object.keys(headers).length > 0 && { headers }),
    ...(proxy !== undefined && { proxy }),
  };
  return { spec, changed: WAYS.filter((way) => !isDeepStrictEqual(held[way], spec[way])) };
}
