/** Names of parameters whose values open doors; the words that CDNs and pages use for them. */
const SECRET_NAME = /tok|sig|key|auth|pass|pwd|secret|hmac|policy|cred|session|jwt|hash|code|hdn/i;
/** What is longer is no name, number or id, but something that was computed. */
const PLAIN_CHARACTERS_MAX = 40;
const HIDDEN = '***';

/**
 * A link as it may be shown to those who may see what is recorded: which video of a page it is stays to be seen, while names and
 * passwords, fragments and whatever looks like a token do not. A text that is no link is hidden whole.
 */
export function shownUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null) return HIDDEN;
  url.username = '';
  url.password = '';
  url.hash = '';
  for (const [name, value] of [...url.searchParams])
    if (SECRET_NAME.test(name) || value.length > PLAIN_CHARACTERS_MAX)
      url.searchParams.set(name, HIDDEN);
  return url.href;
}
