import type { JobSpec } from '../../machines/vocabulary.ts';
import type { Labels } from '../core/queueTerms.ts';
import { shownUrl } from '../core/shownUrl.ts';
import type { JobRecord } from './jobRecords.ts';
import type { JobView } from './operations.ts';

/** A job as a listing has it: its row, and what the index of segments adds up to. */
export interface ListedJob extends JobRecord {
  readonly tenantId: string;
  readonly version: number;
  readonly labels: Labels;
  readonly priority: number;
  readonly waiting: boolean;
  readonly runAt: number;
  readonly expiresAt?: number | undefined;
  readonly evidence?: Readonly<Record<string, unknown>> | undefined;
  readonly retryOf?: string | undefined;
  readonly tries: number;
  readonly scheduleId?: string | undefined;
  readonly recorded?: JobView['recorded'] | undefined;
}

/** What is shown instead of what is secret. */
const HIDDEN = '[redacted]';

/** A job without its secrets: values of headers, cookies, credentials in links. */
export function jobView(job: ListedJob): JobView {
  const { id, tenantId, state, version, attempt, labels, priority, waiting, runAt, tries } = job;
  const { createdAt, updatedAt, expiresAt, startedAt, outcome, verdict, ending, cause } = job;
  const { evidence, retryOf, scheduleId, recorded } = job;
  return {
    ...{ id, tenantId, state, version, attempt, labels, priority, waiting, runAt, tries },
    spec: shownSpec(job.spec),
    createdAt,
    updatedAt,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(startedAt !== undefined && { startedAt }),
    ...(outcome !== undefined && { outcome }),
    ...(verdict !== undefined && { verdict }),
    ...(ending !== undefined && { ending }),
    ...(cause !== undefined && { cause }),
    ...(evidence !== undefined && { evidence }),
    ...(retryOf !== undefined && { retryOf }),
    ...(scheduleId !== undefined && { scheduleId }),
    ...(recorded !== undefined && { recorded }),
  };
}

export function shownSpec(spec: JobSpec): JobSpec {
  const { headers, cookies, proxy, fallbacks } = spec;
  return {
    ...spec,
    url: shownUrl(spec.url),
    ...(fallbacks && { fallbacks: fallbacks.map(shownUrl) }),
    ...(headers && {
      headers: Object.fromEntries(Object.keys(headers).map((name) => [name, HIDDEN])),
    }),
    ...(cookies !== undefined && { cookies: HIDDEN }),
    ...(proxy !== undefined && { proxy: shownUrl(proxy) }),
  };
}
