/** A token that is good for longer than a year needs no renewal; such a number is something else. */
const FUTURE_MAX_MS = 365 * 86_400_000;
/** What is a number of milliseconds since the epoch, not of seconds: seconds reach this only in the year 5138. */
const MILLISECONDS_FROM = 1e11;
/** An address is renewed so long before it expires, or after four fifths of its life when that is later. */
const MARGIN_MAX_MS = 30_000;
const MARGIN_OF_LIFE = 0.2;

/** Query parameters and path words whose value is a time, seconds (or milliseconds) since the epoch. */
const TIMES: ReadonlySet<string> = new Set([
  'exp',
  'expire',
  'expires',
  'expiry',
  'expiration',
  'expires_at',
  'e',
  // Wowza's SecureToken writes its own prefix before `endtime`.
  'wowzatokenendtime',
]);
/** Parameters with an ISO date: Azure's shared access signatures. */
const DATES: ReadonlySet<string> = new Set(['se']);
/** A date of signing and a number of seconds: Amazon S3 and Google Cloud Storage, signature version 4. */
const SIGNED_AT = [
  ['x-amz-date', 'x-amz-expires'],
  ['x-goog-date', 'x-goog-expires'],
] as const;

export interface UrlExpiryOptions {
  /** Headers of its answer, names in lower case: cookies that open it may run out first. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Wall clock, milliseconds since the epoch. */
  readonly now: number;
}

/**
 * When an address stops working, milliseconds since the epoch, by what it says about itself: the earliest plausible time of the
 * common ways to sign one. Undefined when it does not tell.
 */
export function urlExpiry(url: URL, { headers = {}, now }: UrlExpiryOptions): number | undefined {
  const times = [...queryTimes(url), ...pathTimes(url), ...cookieTimes(headers['set-cookie'])];
  const plausible = times.filter((at) => at > now && at <= now + FUTURE_MAX_MS);
  return plausible.length === 0 ? undefined : Math.min(...plausible);
}

/** When to renew what is good from `now` until `expiresAt`, milliseconds since the epoch. */
export const renewalAt = (expiresAt: number, now: number): number =>
  expiresAt - Math.min(MARGIN_MAX_MS, (expiresAt - now) * MARGIN_OF_LIFE);

function queryTimes(url: URL): number[] {
  const times: number[] = [];
  const lower = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    const key = name.toLowerCase();
    lower.set(key, value);
    if (TIMES.has(key) || key.endsWith('endtime')) times.push(epochTime(value));
    if (DATES.has(key)) times.push(Date.parse(value));
    if (key === 'policy') times.push(...policyTimes(value));
    times.push(...tokenTimes(value));
  }
  for (const [date, seconds] of SIGNED_AT) {
    times.push(signedTime(lower.get(date), lower.get(seconds)));
  }
  return times.filter(Number.isFinite);
}

/** `/expire/1700000000/`, `/exp=1700000000~acl=…/` */
function pathTimes({ pathname }: URL): number[] {
  const words = pathname.split('/');
  const pairs = words.flatMap((word, index) =>
    TIMES.has(word.toLowerCase()) ? epochTime(words[index + 1] ?? '') : [],
  );
  return [...pairs, ...tokenTimes(pathname)].filter(Number.isFinite);
}

const cookieTimes = (cookies: string | undefined): number[] =>
  cookies === undefined ? [] : tokenTimes(cookies).filter(Number.isFinite);

/** Akamai's `exp=1700000000~acl=…~hmac=…`, a JSON Web Token, or a JSON object that was written into a parameter. */
function tokenTimes(text: string): number[] {
  const akamai = [...text.matchAll(/(?:^|[=~/;\s])exp=(\d{9,13})(?=~|$)/g)];
  const json = [...text.matchAll(/"(?:exp|expires|expiry)"\s*:\s*"?(\d{9,13})\b/g)];
  const webTokens = [...text.matchAll(/[\w-]{8,}\.([\w-]{8,})\.[\w-]{8,}/g)];
  return [
    ...[...akamai, ...json].map(([, digits = '']) => epochTime(digits)),
    ...webTokens.map(([, payload = '']) => claimTime(payload)),
  ];
}

function claimTime(payload: string): number {
  const text = Buffer.from(payload, 'base64url').toString('utf8');
  const [, digits] = /"exp"\s*:\s*(\d{9,13})\b/.exec(text) ?? [];
  return epochTime(digits ?? '');
}

/** CloudFront's policy: JSON in a base64 whose `+=/` are written `-_~`. */
function policyTimes(value: string): number[] {
  const base64 = value.replaceAll('-', '+').replaceAll('_', '=').replaceAll('~', '/');
  const text = Buffer.from(base64, 'base64').toString('utf8');
  const found = text.matchAll(/"DateLessThan"\s*:\s*\{\s*"AWS:EpochTime"\s*:\s*(\d{9,13})/g);
  return [...found].map(([, digits = '']) => epochTime(digits));
}

/** `20261121T120000Z` and seconds. */
function signedTime(date: string | undefined, seconds: string | undefined): number {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date ?? '') ?? [];
  if (year === undefined || !/^\d{1,8}$/.test(seconds ?? '')) return Number.NaN;
  const signedAt = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return signedAt + Number(seconds) * 1_000;
}

function epochTime(text: string): number {
  if (!/^\d{9,13}(\.\d+)?$/.test(text)) return Number.NaN;
  const value = Number(text);
  return value >= MILLISECONDS_FROM ? value : value * 1_000;
}
