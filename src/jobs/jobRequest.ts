import { resolve } from 'node:path';
import type { JobSpec } from '../../machines/vocabulary.ts';
import { KennelError } from '../core/errors.ts';

/** What somebody asks for, as it comes from a command line or an API. */
export interface JobRequest {
  readonly url: string;
  /** Wishes in order of preference, separated by commas. Default: `best`. */
  readonly quality?: string | undefined;
  readonly durationMs?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly waitMs?: number | undefined;
  readonly patienceMs?: number | undefined;
  /** File, or directory with a slash behind. Default: the working directory. */
  readonly output?: string | undefined;
  readonly keepSegments?: boolean | undefined;
}

/**
 * A source may be silent for so long before it counts as gone. Origins restart in seconds and encoders in a minute; two
 * minutes cost nothing but the wait when a stream ends without saying so.
 */
const PATIENCE_MS_DEFAULT = 120_000;

/** RFC 9110: a field name is a token; a value has no control characters but tabs. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const FIELD_VALUE_BAD = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/**
 * Checks a request and fills in the defaults.
 *
 * @throws KennelError `url.invalid`, `usage.invalid`
 */
export function jobSpec(request: JobRequest): JobSpec {
  const quality = (request.quality ?? 'best').split(',').map((wish) => wish.trim());
  if (quality.some((wish) => wish === ''))
    throw new KennelError(
      'usage.invalid',
      'The quality has an empty wish; write it as "720p,best".',
    );
  for (const [name, value] of Object.entries(request.headers ?? {}))
    if (!FIELD_NAME.test(name) || FIELD_VALUE_BAD.test(value))
      throw new KennelError(
        'usage.invalid',
        `The header ${JSON.stringify(name)} is not one that HTTP allows.`,
      );
  const { durationMs } = request;
  if (durationMs !== undefined && !(durationMs > 0))
    throw new KennelError('usage.invalid', 'The duration must be longer than nothing.');
  return {
    url: checkedUrl(request.url),
    quality,
    ...(durationMs !== undefined && { durationMs }),
    ...(request.headers && { headers: request.headers }),
    waitMs: request.waitMs ?? 0,
    patienceMs: request.patienceMs ?? PATIENCE_MS_DEFAULT,
    output: absoluteOutput(request.output ?? './'),
    keepSegments: request.keepSegments ?? false,
  };
}

function checkedUrl(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text;
  throw new KennelError(
    'url.invalid',
    url
      ? `The link ${text} is not http or https; Kennel records HLS over these two.`
      : `${JSON.stringify(text)} is not a link. It begins with http:// or https://.`,
  );
}

/** Keeps the slash that tells a directory from a file. */
const absoluteOutput = (output: string): string =>
  output.endsWith('/') || output === '.'
    ? `${resolve(output)}/`.replace('//', '/')
    : resolve(output);
