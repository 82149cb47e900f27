import type { Results, RowMode } from '@electric-sql/pglite';
import type { KennelErrorCode } from '../../core/errors.ts';

/** What the client asks of the worker; every request is answered once, unless the worker ends first. */
export type Request =
  | {
      readonly op: 'query';
      readonly sql: string;
      readonly params: unknown[];
      readonly rowMode: RowMode;
      /** The open transaction it belongs to. */
      readonly transaction?: number | undefined;
    }
  /** The request's own number becomes the transaction's. */
  | { readonly op: 'begin' }
  | { readonly op: 'commit' | 'rollback'; readonly transaction: number }
  | { readonly op: 'close' };

export type QueryResult = Pick<Results<unknown>, 'rows' | 'fields' | 'affectedRows'>;

/** The worker's answer to the request with that number; number 0 is the start itself. */
export type Reply =
  | { readonly id: number; readonly result: QueryResult | null }
  | { readonly id: number; readonly error: ThrownError };

/** An error on its way between threads: the clone of an Error keeps neither its class nor its fields. */
export interface ThrownError {
  readonly message: string;
  /** Set for a KennelError. */
  readonly kennel?: { readonly code: KennelErrorCode; readonly details: Record<string, unknown> };
  /** What Postgres says beside the message: `code` is the SQLSTATE. */
  readonly fields: Readonly<Record<string, string>>;
}
