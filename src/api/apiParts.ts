import type { JobSpec } from '../../machines/vocabulary.ts';
import type { Capacity } from '../capacity/capacity.ts';
import type { ConfigView } from '../config/configView.ts';
import type { Principal } from '../core/access.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { AccessKeys } from '../jobs/accessKeys.ts';
import type { JobRequest } from '../jobs/jobRequest.ts';
import type { Operations } from '../jobs/operations.ts';
import type { Schedules } from '../queue/schedules.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import type { ApiLimits } from './apiLimits.ts';
import type { Realtime } from './realtime/realtime.ts';

/** Who may come in, and from where. */
export interface Door {
  /** Without keys, everybody who reaches the service is its admin: only for a service that listens on loopback or a socket file. */
  readonly isKeyDemanded: boolean;
  /** Host names, besides those of loopback, that a service without keys answers to. */
  readonly hosts: readonly string[];
  /** Origins whose pages may ask (`https://dashboard.example`). */
  readonly origins: readonly string[];
}

/** Everything that the API asks. A noun that needs another part adds it here. */
export interface ApiParts {
  readonly operations: Operations;
  readonly schedules: Pick<Schedules, 'create' | 'list' | 'get' | 'change' | 'remove' | 'preview'>;
  /** What somebody asks for, checked: `submittedSpec`. */
  specOf(who: Principal, request: JobRequest): JobSpec;
  readonly accessKeys: AccessKeys;
  readonly capacity: Pick<Capacity, 'report'>;
  /** Every setting as it holds now. */
  configuration(): readonly ConfigView[];
  readonly webhooks: Webhooks;
  /** What stays open. Whoever makes it stops it. */
  readonly realtime: Realtime;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: ApiLimits;
  readonly door: Door;
  /** Of Kennel, as the OpenAPI document shows it. */
  readonly version: string;
}
