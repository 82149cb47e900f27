import { DEFAULT_TENANT } from '../core/access.ts';
import type { Secret } from '../core/secret.ts';
import { changedSecrets, newWebhookSecret, webhookSecret } from './signature.ts';
import type { ReceiverRecords } from './webhookRecords.ts';

/** There is one clipping service: its receiver has this id in every Kennel. */
export const CLIPPER_ID = '00000000-0000-4000-8000-00636c697070';

export interface ClipperSettings {
  readonly url?: string | undefined;
  /** `whsec_…` or its base64. Absent: the one it has, or a new one. */
  readonly secret?: Secret | undefined;
}

/**
 * Makes the receiver of complaints what the configuration says: there and switched on, or switched off. Complaints that wait
 * stay. A new secret signs beside the old one for a day. Returns a secret that nobody has yet: to be shown to the operator once.
 * Throws `usage.invalid` for a secret that is none.
 */
export async function registerClipper(
  { url, secret }: ClipperSettings,
  { records, now }: { readonly records: ReceiverRecords; readonly now: number },
): Promise<{ readonly newSecret?: string }> {
  const wanted = secret === undefined ? undefined : webhookSecret(secret.reveal());
  const known = (await records.list()).find(({ id }) => id === CLIPPER_ID);
  if (url === undefined) {
    if (known?.enabled === true) await records.change(CLIPPER_ID, { enabled: false });
    return {};
  }
  if (!known) {
    const first = wanted ?? newWebhookSecret();
    const receiver = { id: CLIPPER_ID, tenantId: DEFAULT_TENANT, url, secrets: [first] };
    await records.putClipper({ ...receiver, createdAt: now });
    return wanted === undefined ? { newSecret: first } : {};
  }
  if (!known.enabled || known.url !== url) await records.change(CLIPPER_ID, { url, enabled: true });
  const { secrets } = await records.receiver(CLIPPER_ID);
  if (wanted !== undefined && wanted !== secrets[0]) {
    const changed = changedSecrets(secrets, wanted, now);
    await records.replaceSecrets(CLIPPER_ID, changed.secrets, changed.oldSecretsUntil);
  }
  return {};
}
