import { createHash, timingSafeEqual } from 'node:crypto';

/** The user and password of a `Proxy-Authorization` header, if it has any. */
export function credentialsOf(
  header: string | undefined,
): { readonly user: string; readonly secret: string } | undefined {
  const [, encoded] = /^basic +([\w+/=-]+)$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, 'base64').toString();
  const colon = pair.indexOf(':');
  return colon < 0 ? undefined : { user: pair.slice(0, colon), secret: pair.slice(colon + 1) };
}

/** Whether two secrets are the same, in a time that tells nothing about them. */
export const isSameSecret = (one: string, other: string): boolean =>
  timingSafeEqual(digest(one), digest(other));

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
