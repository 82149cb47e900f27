import type { Hook } from '@hono/zod-openapi';
import type { ZodError } from 'zod';
import { KennelError } from '../core/errors.ts';
import type { ApiEnv } from './apiEnv.ts';

/** Faults that are told of one request: who sends more of them is not going to read them. */
const ISSUES_MAX = 50;

const PART_OF_TARGET: Readonly<Record<string, string>> = { json: 'body', param: 'path' };

/** What validation found, all at once: `request.invalid` with `details.issues`. */
export function throwInvalid(
  result: { readonly target: string } & (
    | { readonly success: true }
    | { readonly success: false; readonly error: ZodError }
  ),
): void {
  if (result.success) return;
  const part = PART_OF_TARGET[result.target] ?? result.target;
  const issues = result.error.issues.slice(0, ISSUES_MAX).map(({ path, code, message }) => ({
    in: part,
    path: path.map(String).join('.'),
    code,
    message,
  }));
  const [first] = issues;
  const where = first && first.path !== '' ? ` ${first.path}:` : '';
  throw new KennelError(
    'request.invalid',
    `the ${part} is not right:${where} ${first?.message ?? 'it cannot be read'}`,
    { details: { issues } },
  );
}

export const validationHook: Hook<unknown, ApiEnv, string, void> = (result) => throwInvalid(result);
