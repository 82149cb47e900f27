import { z } from 'zod';
import { messageBody } from './webhookBody.ts';
import type { EventToTell } from './webhookRecords.ts';

/** The numbers that a job was turned away for, as the capacity measured them (`capacity/capacity.ts`). */
const reason = z
  .object({
    resource: z.string().meta({ description: 'What there is too little of: `cpu`, `memory`, …' }),
    explanation: z.string().meta({ description: 'One sentence with numbers' }),
    limit: z.number().meta({ description: 'What there is for recordings' }),
    expected: z.number().meta({ description: 'What is expected to be taken of it already' }),
    needed: z.number().meta({ description: 'What the job would take' }),
  })
  .partial();

/** What the clipping service is told when a job does not fit. */
export const complaintSchema = z
  .object({
    type: z.literal('job.rejected'),
    timestamp: z.iso.datetime(),
    data: z.object({
      jobId: z.string(),
      tenantId: z.string(),
      url: z
        .string()
        .optional()
        .meta({ description: 'The link, without credentials, query and fragment' }),
      reason,
      cause: z.string().optional(),
      fitsAt: z.iso
        .datetime()
        .optional()
        .meta({ description: 'When it would fit, as far as the ends of running jobs are known' }),
      node: z.string().meta({ description: 'Who complains' }),
      truncated: z.literal(true).optional(),
    }),
  })
  .meta({
    id: 'Complaint',
    description:
      'A job was rejected because there is no room for it: sent to the clipping service.',
  });

const evidenceSchema = reason.extend({ fitsAt: z.number().optional() });

/** The complaint that a move to `rejected` makes. What its evidence does not have is left out, never invented. */
export function complaintBody(event: EventToTell, node: string): string {
  const { at, jobId = '', tenantId, sourceUrl, data } = event;
  const evidence = evidenceSchema.safeParse(overloadOf(data['evidence']));
  const { fitsAt, ...numbers } = evidence.data ?? {};
  const { cause } = data;
  return messageBody({
    type: 'job.rejected',
    at,
    data: {
      jobId,
      tenantId,
      ...(sourceUrl !== undefined && { url: sourceUrl }),
      reason: numbers,
      ...(typeof cause === 'string' && { cause }),
      ...(fitsAt !== undefined && { fitsAt: new Date(fitsAt).toISOString() }),
      node,
    },
  });
}

/** The overload is the evidence, or one part of it. */
const overloadOf = (evidence: unknown): unknown =>
  typeof evidence === 'object' && evidence !== null && 'overload' in evidence
    ? evidence.overload
    : evidence;
