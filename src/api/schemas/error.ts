import { z } from 'zod';
import { ERROR_CODES, type KennelErrorCode } from '../../core/errors.ts';

// `Object.keys` forgets what the keys are; the table is closed.
const codes = Object.keys(ERROR_CODES) as [KennelErrorCode, ...KennelErrorCode[]];

const details = z.record(z.string(), z.unknown()).meta({ description: 'Facts, by code' });

/** What every failure looks like. */
export const ApiError = z
  .object({
    error: z.object({
      code: z.enum(codes),
      message: z.string(),
      details,
      request_id: z.string(),
    }),
  })
  .meta({ id: 'Error', description: 'What went wrong; programs go by the code' });
export type ApiError = z.infer<typeof ApiError>;

/** The same for whoever accepts `application/problem+json` (RFC 9457). */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    instance: z.string(),
    code: z.enum(codes),
    details,
    request_id: z.string(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });
