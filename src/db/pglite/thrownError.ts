import { isKennelError, KennelError, messageOf } from '../../core/errors.ts';
import type { ThrownError } from './protocol.ts';

const FIELDS = ['code', 'severity', 'detail', 'hint', 'schema', 'table', 'column', 'constraint'];

export function packError(error: unknown): ThrownError {
  const fields: Record<string, string> = {};
  if (error instanceof Error) {
    for (const name of FIELDS) {
      const value: unknown = Reflect.get(error, name);
      if (typeof value === 'string') fields[name] = value;
    }
  }
  const message = messageOf(error);
  if (!isKennelError(error)) return { message, fields };
  return { message, fields, kennel: { code: error.code, details: { ...error.details } } };
}

export function unpackError({ message, fields, kennel }: ThrownError): Error {
  if (kennel) return new KennelError(kennel.code, message, { details: kennel.details });
  return Object.assign(new Error(message), fields);
}
