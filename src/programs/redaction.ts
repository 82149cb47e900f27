import { percentDecoded } from '../core/percentDecoded.ts';
import { withoutSecrets } from '../core/withoutSecrets.ts';

/** Shorter ones are no secrets that anybody could keep, and taking them out would make a text unreadable. */
const SECRET_CHARACTERS_MIN = 6;

/** What must not be in a text that is kept. */
export interface Secrets {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The text of a Netscape cookie file. */
  readonly cookies?: string | undefined;
  /** Addresses with credentials: proxies, and links. */
  readonly urls?: readonly (string | undefined)[];
}

/** Takes the secrets out of a text, in every spelling that a tool may print them in, and the credentials and queries of all URLs. */
export function redaction(secrets: Secrets): (text: string) => string {
  const words = [
    ...Object.values(secrets.headers ?? {}).flatMap((value) => [value, ...value.split(/[;,\s]+/)]),
    ...cookieValues(secrets.cookies ?? ''),
    ...(secrets.urls ?? []).flatMap(credentialsOf),
  ];
  const spelled = words.flatMap((word) => [word, encodeURIComponent(word)]);
  const long = [...new Set(spelled)].filter(({ length }) => length >= SECRET_CHARACTERS_MIN);
  // The longest first: one secret may be a part of another.
  long.sort((one, other) => other.length - one.length);
  return (text) => {
    let clean = withoutSecrets(text);
    for (const word of long) clean = clean.replaceAll(word, '***');
    return clean;
  };
}

/** The value of a cookie is the seventh field of its line. */
const cookieValues = (file: string): string[] =>
  file.split('\n').flatMap((line) => line.trimEnd().split('\t')[6] ?? []);

function credentialsOf(address: string | undefined): string[] {
  if (address === undefined || !URL.canParse(address)) return [];
  const { username, password } = new URL(address);
  const name = percentDecoded(username);
  const secret = percentDecoded(password);
  if (secret === '') return [];
  // As a proxy is told it: `Proxy-Authorization: Basic …`.
  return [secret, name, Buffer.from(`${name}:${secret}`).toString('base64')];
}
