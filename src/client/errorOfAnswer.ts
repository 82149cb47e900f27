import { ERROR_CODES, KennelError, type KennelErrorCode } from '../core/errors.ts';

/** What an answer means that is not in Kennel's words: a proxy's, or that of another program at this address. */
const CODE_OF_STATUS: Readonly<Record<number, KennelErrorCode>> = {
  401: 'access.missing',
  403: 'access.forbidden',
  404: 'route.notFound',
  405: 'method.notAllowed',
  413: 'request.tooLarge',
  429: 'rate.limited',
};

/** Characters of a foreign answer that are told. */
const EXCERPT_CHARACTERS = 200;

/**
 * What a failed answer of the API says, as the failure that it was on the other side: same code, same message, same details, and
 * the id under which the service has it in its log.
 */
export async function errorOfAnswer(answer: Response): Promise<KennelError> {
  const text = await answer.text().catch(() => '');
  return kennelErrorOf(text, answer) ?? foreignError(text, answer);
}

function kennelErrorOf(text: string, answer: Response): KennelError | undefined {
  const told = objectOf(objectOf(parsed(text))?.['error']);
  const { code, message, details, request_id: requestId } = told ?? {};
  if (typeof code !== 'string' || typeof message !== 'string') return undefined;
  const facts = { ...objectOf(details), ...retryAfter(answer), requestId };
  // A newer service may know of more failures than this client does; by its status it knows what kind it is.
  if (!isErrorCode(code))
    return new KennelError(codeOfStatus(answer.status), message, { details: { ...facts, code } });
  return new KennelError(code, message, { retryable: isLater(answer), details: facts });
}

function foreignError(text: string, answer: Response): KennelError {
  const { status, url } = answer;
  const excerpt = text.replaceAll(/\s+/g, ' ').slice(0, EXCERPT_CHARACTERS);
  return new KennelError(
    codeOfStatus(status),
    `What answers at ${placeOf(url)} does not speak as Kennel does (HTTP ${status}): check the address, and proxies before it.`,
    { retryable: isLater(answer), details: { status, excerpt, ...retryAfter(answer) } },
  );
}

/** Of `Retry-After`, in seconds or as a date; milliseconds. */
export function retryAfterMs({ headers }: Response, now: number): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  if (/^\d+$/.test(text.trim())) return Number(text) * 1_000;
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? undefined : Math.max(0, moment - now);
}

function retryAfter(answer: Response): { readonly retryAfterMs?: number } {
  const text = answer.headers.get('retry-after') ?? '';
  return /^\d+$/.test(text) ? { retryAfterMs: Number(text) * 1_000 } : {};
}

const isLater = ({ status }: Response): boolean => status === 429 || status === 503;

const codeOfStatus = (status: number): KennelErrorCode =>
  CODE_OF_STATUS[status] ?? (status >= 500 ? 'service.unavailable' : 'request.invalid');

const isErrorCode = (word: string): word is KennelErrorCode => Object.hasOwn(ERROR_CODES, word);

/** Queries may hold what is nobody else's business. */
const placeOf = (url: string): string => {
  const parsedUrl = URL.parse(url);
  return parsedUrl ? `${parsedUrl.origin}${parsedUrl.pathname}` : 'this address';
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const objectOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? // Whatever an object of JSON has, it has by name.
      (value as Readonly<Record<string, unknown>>)
    : undefined;
