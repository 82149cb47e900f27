import { createHash } from 'node:crypto';
import { KennelError } from '../core/errors.ts';

/** Digits of the hash in a tag: 64 bits, more than the answers that one URL will ever have. */
const HASH_DIGITS = 16;

/**
 * The tag of an answer: `"<row version>-<hash of the body>"`. It is strong: a body that differs in anything (bytes recorded so
 * far, which move no row) has another tag, so that 304 never hides news. `If-Match` reads the version alone, since what
 * matters for a change is whether the job has moved.
 */
export function entityTag(version: number, body: unknown): string {
  const hash = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  return `"${version}-${hash.slice(0, HASH_DIGITS)}"`;
}

const TAGS = /(W\/)?"([^"]*)"/g;

const withoutWeakness = (tag: string): string => tag.replace(/^W\//, '');

/** Whether `If-None-Match` has the tag: by weak comparison, so that a proxy which compressed the answer changes nothing. */
export const isTagIn = (tag: string, ifNoneMatch: string): boolean =>
  ifNoneMatch.trim() === '*' ||
  [...ifNoneMatch.matchAll(TAGS)].some(
    ([found]) => withoutWeakness(found) === withoutWeakness(tag),
  );

/**
 * The row version that `If-Match` wants; undefined when it wants none, or anything (`*`). By strong comparison: a weak tag (`W/…`)
 * matches nothing, and neither does one that Kennel never made.
 *
 * @throws KennelError `precondition.failed`
 */
export function versionWanted(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const versions = new Set(
    [...ifMatch.matchAll(TAGS)]
      .filter(([, weak]) => weak === undefined)
      .flatMap(([, , tag = '']) => /^(\d{1,15})-[0-9a-f]+$/.exec(tag)?.[1] ?? []),
  );
  const [version, ...others] = versions;
  if (version === undefined || others.length > 0) {
    throw new KennelError(
      'precondition.failed',
      'If-Match must be one tag, as ETag told it and without W/; read again and compare',
    );
  }
  return Number(version);
}
