import { systemClock as clock } from '../core/clock.ts';
import { addressRules } from '../egress/addressRules.ts';
import { lookThrough } from '../hls/source/probeTransport.ts';
import { hybridTransport } from '../hls/transport/hybridTransport.ts';
import type { ResolveLink } from '../intake/link.ts';
import { linkResolver } from '../intake/linkResolver.ts';
import type { ProbeParts } from './probe.ts';

/** What of probing needs programs, and so a cage and a gate. */
export interface ProbePrograms extends Pick<ProbeParts, 'recorderFor' | 'mediaOf' | 'rules'> {
  /** Finds out what is behind pages; undefined: nothing here can, because of `missing`. */
  readonly pages?: ResolveLink | undefined;
  readonly missing?: string;
}

/** What probing asks of the rest of Kennel, around what programs there are. */
export function openProbe({
  pages,
  missing,
  ...programs
}: ProbePrograms = {}): ProbeParts & { close(): void } {
  const transport = hybridTransport();
  const { rules = addressRules } = programs;
  const look = lookThrough({ transport, clock, rules });
  const resolve = linkResolver({ look, pages, now: clock.now, ...(missing && { missing }) });
  return { ...programs, rules, transport, clock, resolve, close: () => transport.close() };
}
