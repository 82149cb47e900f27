/**
 * Every failure that may cross a folder has one of these codes. The code alone decides the HTTP status, the CLI exit
 * code, the metric label and the reason stored with the job; each consumer maps it with one exhaustive table.
 */
export const ERROR_CODES = {
  'usage.invalid': 'caller',
  'url.invalid': 'caller',
  'config.invalid': 'caller',
  'job.notFound': 'caller',
  'job.conflict': 'caller',
  'job.duplicate': 'caller',
  'tenant.full': 'caller',
  'tenant.notFound': 'caller',
  'capacity.exceeded': 'kennel',
  'idempotency.conflict': 'caller',
  'idempotency.busy': 'caller',
  'precondition.failed': 'caller',
  'access.missing': 'caller',
  'access.denied': 'caller',
  'access.forbidden': 'caller',
  'rate.limited': 'caller',
  'request.invalid': 'caller',
  'request.tooLarge': 'caller',
  'route.notFound': 'caller',
  'method.notAllowed': 'caller',
  'event.gone': 'caller',
  'key.notFound': 'caller',
  'schedule.notFound': 'caller',
  'webhook.notFound': 'caller',
  'delivery.notFound': 'caller',
  'service.unavailable': 'kennel',
  bug: 'kennel',
  'source.notFound': 'source',
  'source.unavailable': 'source',
  'source.refused': 'source',
  'source.encrypted': 'source',
  'source.unsupported': 'source',
  'source.vanished': 'source',
  'source.notLive': 'source',
  'source.login': 'caller',
  'source.geo': 'source',
  'source.list': 'caller',
  'address.refused': 'caller',
  'playlist.invalid': 'source',
  'quality.notFound': 'caller',
  'segment.invalid': 'source',
  'destination.unwritable': 'destination',
  'destination.conflict': 'destination',
  'disk.full': 'destination',
  'disk.failed': 'destination',
  'data.locked': 'caller',
  'database.unavailable': 'kennel',
  'database.unsafe': 'kennel',
  'database.fenced': 'kennel',
  'journal.corrupt': 'kennel',
  'recorder.crashed': 'kennel',
  'mux.failed': 'kennel',
  'mux.unverified': 'kennel',
  'tool.missing': 'caller',
  'tool.outdated': 'caller',
  'tool.failed': 'kennel',
  'sandbox.unavailable': 'caller',
  'timeout.exceeded': 'source',
  'limit.exceeded': 'source',
} as const;

export type KennelErrorCode = keyof typeof ERROR_CODES;

/** Who has to act: the person who asked, the origin, the place that stores, or Kennel itself. */
export type Fault = (typeof ERROR_CODES)[KennelErrorCode];

export interface KennelErrorOptions {
  readonly cause?: unknown;
  /** Whether trying the same thing again later can help. Default: false. */
  readonly retryable?: boolean;
  /** Facts for the reader: plain JSON, no secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

const brand = Symbol.for('kennel.error');

/** The one error class that crosses folders. The message says what, with which value, and what to do next. */
export class KennelError extends Error {
  override readonly name = 'KennelError';
  readonly [brand] = true;
  readonly code: KennelErrorCode;
  readonly fault: Fault;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: KennelErrorCode, message: string, options: KennelErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fault = ERROR_CODES[code];
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }
}

/** True for a KennelError, also for one made by another copy of this module. */
export const isKennelError = (error: unknown): error is KennelError =>
  typeof error === 'object' && error !== null && brand in error;

/** The text of anything that was thrown. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** The system's error code (`ENOENT`, `ECONNREFUSED`, …) of anything that was thrown, if it has one. */
export const systemCodeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
