import type { ResolvedLink } from './link.ts';
import { urlExpiry } from './urlExpiry.ts';

/** A link that is the media itself. `now`: milliseconds since the epoch. */
export function directLink(kind: ResolvedLink['kind'], url: URL, now: number): ResolvedLink {
  const expiresAt = urlExpiry(url, { now });
  return { kind, url, headers: {}, formats: [], ...(expiresAt !== undefined && { expiresAt }) };
}
