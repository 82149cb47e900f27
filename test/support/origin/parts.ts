import { availableAtMs, type WindowPlan } from './liveWindow.ts';

/** Low latency: segments in parts, which come one after the other before their segment is whole. Pure. */

/** One part of a segment. */
export interface Part {
  readonly index: number;
  readonly part: number;
}

const TS_PACKET_BYTES = 188;
/** Segments from the end whose parts are listed (RFC 8216bis §6.2.2: three target durations). */
export const SEGMENTS_IN_PARTS = 3;

export const partCount = (plan: WindowPlan, partMs: number): number =>
  Math.max(1, Math.round(plan.segmentMs / partMs));

/** When a part becomes available, milliseconds after the start. */
export const partAtMs = (plan: WindowPlan, partMs: number, { index, part }: Part): number =>
  availableAtMs(plan, index) - ((partCount(plan, partMs) - 1 - part) * partMs) / plan.rate;

/** How many parts of the segment behind `head` are there already. */
export function openParts(
  plan: WindowPlan,
  partMs: number,
  now: { readonly head: number; readonly elapsedMs: number },
): number {
  const index = now.head + 1;
  if (index >= plan.endAfter) return 0;
  const count = partCount(plan, partMs);
  for (let part = 0; part < count; part++) {
    if (partAtMs(plan, partMs, { index, part }) > now.elapsedMs) return part;
  }
  return count;
}

/** The bytes of a part: whole packets of MPEG-TS. */
export function partOf(body: Uint8Array, part: number, count: number): Uint8Array {
  const packets = body.length / TS_PACKET_BYTES;
  const at = (number: number): number => Math.floor((packets * number) / count) * TS_PACKET_BYTES;
  return body.subarray(at(part), at(part + 1));
}

/** What a reload waits for. */
export interface Awaited {
  readonly msn: number;
  /** Absent: the whole segment. */
  readonly part?: number;
}

/** The delivery directives of a playlist's address; undefined without one. */
export function awaitedBy(url: URL): Awaited | undefined {
  const msn = url.searchParams.get('_HLS_msn');
  const part = url.searchParams.get('_HLS_part');
  if (msn === null || !/^\d+$/.test(msn)) return undefined;
  return { msn: Number(msn), ...(part !== null && { part: Number(part) }) };
}

export const wantsDelta = (url: URL): boolean =>
  ['YES', 'v2'].includes(url.searchParams.get('_HLS_skip') ?? '');
