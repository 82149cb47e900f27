import { z } from 'zod';
import type { TenantView } from '../../jobs/accessKeys.ts';
import { Instant, isoOf } from './instant.ts';
import { Name } from './text.ts';

export const TenantId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
  .meta({ description: 'Lower-case letters, digits and hyphens' });

/** Beyond this one tenant would never see the others' turns. */
const WEIGHT_MAX = 1_000;
/** More jobs than a node can carry, in any case: the columns are 32 bits wide. */
const JOBS_MAX = 1_000_000;

const jobsMax = z.number().int().min(0).max(JOBS_MAX).optional();

export const TenantTerms = z
  .strictObject({
    name: Name,
    weight: z
      .number()
      .min(0.001)
      .max(WEIGHT_MAX)
      .default(1)
      .meta({ description: "Its share while several wait, against the others' weights" }),
    runningMax: jobsMax.meta({ description: 'Jobs at once. Absent: as many as fit' }),
    waitingMax: jobsMax.meta({ description: 'Jobs that wait. Absent: any number' }),
  })
  .meta({ id: 'TenantTerms' });

export const Tenant = z
  .object({
    id: TenantId,
    name: z.string(),
    weight: z.number(),
    runningMax: z.number().int().optional(),
    waitingMax: z.number().int().optional(),
    createdAt: Instant,
  })
  .meta({ id: 'Tenant' });

export const TenantList = z.object({ tenants: z.array(Tenant) }).meta({ id: 'TenantList' });

export const tenantShown = ({ createdAt, ...tenant }: TenantView): z.infer<typeof Tenant> => ({
  ...tenant,
  createdAt: isoOf(createdAt),
});
