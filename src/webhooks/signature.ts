import { createHmac, randomBytes } from 'node:crypto';
import { KennelError } from '../core/errors.ts';

const PREFIX = 'whsec_';
/** Standard Webhooks asks for 24 to 64 bytes. */
const SECRET_BYTES = 32;
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;
/** How long the old secret signs as well, milliseconds: a day for whoever is in charge of the receiver. */
const OLD_SECRET_MS = 24 * 3_600_000;

/** `whsec_` and base64, as Standard Webhooks has it. */
export const newWebhookSecret = (): string =>
  `${PREFIX}${randomBytes(SECRET_BYTES).toString('base64')}`;

/** The secret with its prefix. Throws `usage.invalid` for what is none. */
export function webhookSecret(text: string): string {
  const base64 = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : text;
  const bytes = Buffer.from(base64, 'base64');
  const isWhole = bytes.toString('base64').replaceAll('=', '') === base64.replaceAll('=', '');
  if (isWhole && bytes.length >= SECRET_BYTES_MIN && bytes.length <= SECRET_BYTES_MAX) {
    return `${PREFIX}${base64}`;
  }
  throw new KennelError(
    'usage.invalid',
    `a secret of webhooks is whsec_ and the base64 of ${SECRET_BYTES_MIN} to ${SECRET_BYTES_MAX} random bytes, e.g. of \`openssl rand -base64 32\``,
  );
}

/** Secrets after a change, the newest first, and until when the old one signs as well. */
export const changedSecrets = (secrets: readonly string[], secret: string, now: number) => ({
  secrets: [secret, ...secrets.slice(0, 1)],
  oldSecretsUntil: now + OLD_SECRET_MS,
});

/** Those that sign now, the newest first. */
export const signingSecrets = (
  {
    secrets,
    oldSecretsUntil = 0,
  }: { readonly secrets: readonly string[]; readonly oldSecretsUntil?: number },
  now: number,
): readonly string[] => (now < oldSecretsUntil ? secrets : secrets.slice(0, 1));

/** The headers of Standard Webhooks for one try: the id is the same in all tries, the moment is not. */
export function signatureHeaders(
  message: { readonly id: string; readonly body: string },
  secrets: readonly string[],
  now: number,
) {
  const timestamp = String(Math.floor(now / 1_000));
  const content = `${message.id}.${timestamp}.${message.body}`;
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
  });
  return {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
