import { percentDecoded } from '../core/percentDecoded.ts';

/** The user and password of a URL as HTTP sends them to a server or a proxy (RFC 7617); undefined where it has neither. */
export function basicAuthorization({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  const pair = `${percentDecoded(username)}:${percentDecoded(password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
