import { KennelError, messageOf } from '../../core/errors.ts';

/** How much of a body that is no playlist is shown to the reader, characters. */
const EXCERPT_CHARACTERS_MAX = 80;

/** What every unreadable playlist becomes. Trying again can help: the next answer may be a good one. */
export function invalidPlaylist(problem: string, body?: string, cause?: unknown): KennelError {
  const because = cause === undefined ? '' : ` (${messageOf(cause)})`;
  return new KennelError('playlist.invalid', `The playlist cannot be used: ${problem}${because}.`, {
    cause,
    retryable: true,
    details: body === undefined ? {} : { beginsWith: excerpt(body) },
  });
}

/** The beginning, without what would disturb a terminal: the body may be anything. */
const excerpt = (body: string): string =>
  body.slice(0, EXCERPT_CHARACTERS_MAX).replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]+/gu, ' ');
