import { z } from 'zod';
import { SCOPES } from '../../core/access.ts';
import type { KeyView } from '../../jobs/accessKeys.ts';
import { Instant, InstantGiven, isoOf, isoWhen } from './instant.ts';
import { TenantId } from './tenant.ts';
import { Name } from './text.ts';

export const KeyId = z
  .string()
  .regex(/^[a-z0-9]{1,32}$/)
  .meta({ description: 'The public part of a key' });

const ScopeName = z.enum(SCOPES);

export const Key = z
  .object({
    id: KeyId,
    tenantId: TenantId,
    name: z.string(),
    scopes: z.array(ScopeName),
    createdAt: Instant,
    expiresAt: Instant.optional(),
    revokedAt: Instant.optional().meta({ description: 'It is refused from then on' }),
    lastUsedAt: Instant.optional().meta({ description: 'To the minute' }),
  })
  .meta({ id: 'Key', description: 'A key of the API, without its secret' });

export const KeyList = z.object({ keys: z.array(Key) }).meta({ id: 'KeyList' });

export const NewKey = z
  .strictObject({
    tenantId: TenantId.optional().meta({ description: "Default: the caller's own" }),
    name: Name,
    scopes: z.array(ScopeName).min(1).max(SCOPES.length),
    expiresAt: InstantGiven.optional(),
  })
  .meta({ id: 'NewKey' });

export const MadeKey = z
  .object({
    key: Key,
    text: z.string().meta({ description: 'The key itself. It is told now and never again' }),
  })
  .meta({ id: 'MadeKey' });

/** A week: long enough for every client to be given the new key. */
const OVERLAP_SECONDS_MAX = 7 * 24 * 3_600;

export const Rotation = z
  .strictObject({
    overlapSeconds: z
      .number()
      .int()
      .min(0)
      .max(OVERLAP_SECONDS_MAX)
      .default(3_600)
      .meta({ description: 'For so long the old key is accepted as well' }),
  })
  .meta({ id: 'KeyRotation' });

/** Who the caller is. */
export const Me = z
  .object({
    tenantId: TenantId,
    keyId: KeyId.optional().meta({ description: 'Absent where no key is demanded' }),
    scopes: z.array(ScopeName),
  })
  .meta({ id: 'Me' });

export const keyShown = (key: KeyView): z.infer<typeof Key> => ({
  id: key.id,
  tenantId: key.tenantId,
  name: key.name,
  scopes: [...key.scopes],
  createdAt: isoOf(key.createdAt),
  ...isoWhen('expiresAt', key.expiresAt),
  ...isoWhen('revokedAt', key.revokedAt),
  ...isoWhen('lastUsedAt', key.lastUsedAt),
});
