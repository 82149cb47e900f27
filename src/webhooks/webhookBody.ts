import type { EventToTell } from './webhookRecords.ts';

/** Standard Webhooks asks for less than 20 kB. */
export const BODY_BYTES_MAX = 20_000;
/** What names and parts are cut to where the whole is too long, bytes of JSON: so all of them fit, with what is around them. */
const PART_BYTES_MAX = 200;
/** How many parts of the data, and as many of its evidence, are kept then. */
const PARTS_MAX = 20;

interface Message {
  readonly type: string;
  /** When it happened. */
  readonly at: number;
  readonly tenantId?: string;
  readonly jobId?: string;
  readonly place?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The body of a webhook: the event as the log has it. Evidence that is too long is cut, and says so (`truncated`). */
export const eventBody = ({ type, at, tenantId, jobId, place, data }: EventToTell): string =>
  messageBody({ type, at, tenantId, ...(jobId !== undefined && { jobId }), place, data });

export function messageBody({ at, data, type, ...about }: Message): string {
  const message = { type, timestamp: new Date(at).toISOString(), ...about, data };
  const whole = JSON.stringify(message);
  if (Buffer.byteLength(whole) < BODY_BYTES_MAX) return whole;
  return JSON.stringify({ ...message, data: { ...cut(data), truncated: true } });
}

/** Keeps what is short, and the beginning of what is long. */
function cut(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const parts = Object.entries(data).slice(0, PARTS_MAX);
  return Object.fromEntries(
    parts.map(([name, value]) => [
      shortened(name),
      name === 'evidence' && isRecord(value) ? cutEvidence(value) : shortPart(value),
    ]),
  );
}

const cutEvidence = (evidence: Readonly<Record<string, unknown>>) => ({
  ...Object.fromEntries(
    Object.entries(evidence)
      .slice(0, PARTS_MAX)
      .map(([name, value]) => [shortened(name), shortPart(value)]),
  ),
  truncated: true,
});

/** Short JSON as it is, else the beginning of its text. */
function shortPart(value: unknown): unknown {
  if (bytesOf(value) <= PART_BYTES_MAX) return value;
  return shortened(typeof value === 'string' ? value : JSON.stringify(value));
}

function shortened(text: string): string {
  if (bytesOf(text) <= PART_BYTES_MAX) return text;
  let cutText = text.slice(0, PART_BYTES_MAX);
  // A letter takes up to six bytes of JSON.
  while (bytesOf(`${cutText}…`) > PART_BYTES_MAX) {
    cutText = cutText.slice(0, Math.floor(cutText.length * 0.9)).toWellFormed();
  }
  return `${cutText}…`;
}

/** What events have came from JSON: it can be written as such. */
const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
