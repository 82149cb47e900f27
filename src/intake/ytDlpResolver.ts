import { constants } from 'node:os';
import { isKennelError, KennelError } from '../core/errors.ts';
import { askCaged, type CagedAnswer, type QuestionParts } from './cagedQuestion.ts';
import type { ResolvedLink, ResolveLink, ResolveOptions } from './link.ts';
import { netscapeCookies } from './netscapeCookies.ts';
import { type Onward, ytDlpAnswer } from './ytDlpAnswer.ts';
import { COOKIES_FILE, ytDlpCommand } from './ytDlpCommand.ts';
import { refusedBehindPage, ytDlpFailure } from './ytDlpFailure.ts';

export interface YtDlpResolverOptions extends QuestionParts {
  readonly tool: { readonly path: string; readonly version: string };
  /** The Node that runs Kennel: newer versions run the code of some sites with it. */
  readonly nodePath: string;
}

/**
 * One question may take so long, milliseconds: Python and its extractors start within 2 s on a slow machine, and sites with several
 * pages and their own JavaScript have been seen to take 20 s.
 */
const RESOLVE_MS = 60_000;
/** With all captions of all languages an answer has been seen to reach 3 MB; characters. */
const ANSWER_CHARACTERS_MAX = 16 * 1024 * 1024;
/** Pages that lead to pages that lead to pages are a loop. */
const HOPS_MAX = 2;

/** Asks yt-dlp what is behind a page. Rejects as `ResolveLink` does, and as the cage does when it cannot be built. */
export const ytDlpResolver =
  (options: YtDlpResolverOptions): ResolveLink =>
  async (link, wishes) => {
    let page = link;
    for (let hop = 0; hop <= HOPS_MAX; hop++) {
      const answer = await askAbout(page, wishes, options);
      if (!('onward' in answer)) return answer;
      page = answer.onward;
    }
    throw new KennelError('source.unsupported', 'The page leads to other pages without an end.');
  };

async function askAbout(
  link: URL,
  wishes: ResolveOptions,
  options: YtDlpResolverOptions,
): Promise<ResolvedLink | Onward> {
  const { tool, nodePath, clock } = options;
  const answer = await askCaged(options, {
    command: (place) => ytDlpCommand({ link, options: wishes, tool, nodePath }, place),
    reach: wishes.reach ?? [],
    proxy: wishes.proxy,
    signal: wishes.signal,
    timeoutMs: RESOLVE_MS,
    answerCharactersMax: ANSWER_CHARACTERS_MAX,
    keep: COOKIES_FILE,
  });
  const { result, refused, stdout } = answer;
  const { version } = tool;
  const now = clock.now();
  const broken = brokenBy(answer);
  if (result.exitCode !== 0 || broken !== undefined) {
    const failure = { stderr: result.stderrTail, version, now, refused };
    throw ytDlpFailure({ ...failure, ...(broken !== undefined && { broken }) });
  }
  const resolver = `yt-dlp ${version}`;
  const resolved = answered(() => ytDlpAnswer(stdout, { link, wishes, resolver, now }), {
    resolver,
    refused,
  });
  const cookies = usableCookies(answer.kept);
  return 'onward' in resolved || cookies === undefined ? resolved : { ...resolved, cookies };
}

/** What is missing in an answer is missing because of what was refused. */
function answered<Answer>(
  read: () => Answer,
  { resolver, refused }: { readonly resolver: string; readonly refused: readonly string[] },
): Answer {
  try {
    return read();
  } catch (error) {
    if (refused.length === 0 || !isKennelError(error)) throw error;
    throw refusedBehindPage(refused, { resolver, said: error.message });
  }
}

function brokenBy({ cut, result }: CagedAnswer): string | undefined {
  if (cut === 'timeout') return `it had no answer within ${RESOLVE_MS / 1_000} s`;
  if (cut === 'length') return `its answer is longer than ${ANSWER_CHARACTERS_MAX} characters`;
  if (result.startError !== undefined) return `it could not be started (${result.startError})`;
  const signal = result.signal ?? signalOf(result.exitCode);
  return signal === undefined ? undefined : `it was ended by ${signal}`;
}

/** Whoever runs a program in a cage says with its own exit code which signal ended it, as a shell does. */
function signalOf(exitCode = 0): string | undefined {
  const found = Object.entries(constants.signals).find(([, number]) => 128 + number === exitCode);
  return found?.[0];
}

/** What the site has set comes on top of what the job had. */
function usableCookies(text: string | undefined): string | undefined {
  try {
    return text !== undefined && netscapeCookies(text).length > 0 ? text : undefined;
  } catch {
    // Its file is no better than its site's cookies: without them most streams play as well.
    return undefined;
  }
}
