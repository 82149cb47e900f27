import { isTerminal, type JobState } from '../../../machines/vocabulary.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { KennelError } from '../../../src/core/errors.ts';
import { jobSpec } from '../../../src/jobs/jobRequest.ts';
import type { ListedJob } from '../../../src/jobs/jobView.ts';
import { ServiceOperations } from '../../../src/jobs/serviceOperations.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';
import { proofOf } from '../../../src/ledger/proof.ts';
import type { IdempotentAnswer, JobCallback, QueuedJob } from '../../../src/queue/queueRecords.ts';

/** The smallest JPEG that decoders take. */
const PICTURE = Buffer.from(
  '/9j/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBD/yQALCAABAAEBAREA/8wABgAQEAX/2gAIAQEAAD8A0s8g/9k=',
  'base64',
);

/** The real operations of a service over jobs in memory: nothing runs, everything is said yes to. */
export function memoryOperations() {
  const jobs = new Map<string, ListedJob>();
  const answers = new Map<string, { readonly fingerprint: string; readonly id: string }>();
  const change = (id: string, changes: Partial<ListedJob>) => {
    const job = jobs.get(id);
    if (job) jobs.set(id, { ...job, version: job.version + 1, ...changes });
  };
  const ended = (id: string, state: JobState) => change(id, { state, waiting: false });

  const enqueue = async (queued: QueuedJob, answer?: IdempotentAnswer) => {
    const key = answer && `${queued.tenantId} ${answer.key}`;
    const known = key === undefined ? undefined : answers.get(key);
    if (known && known.fingerprint !== answer?.fingerprint)
      throw new KennelError('idempotency.conflict', 'The key was used for something else.');
    if (known) return { id: known.id, isReplayed: true };
    const again = [...jobs.values()].find(
      ({ retryOf }) => queued.retryOf !== undefined && retryOf === queued.retryOf,
    );
    if (again) return { id: again.id, isReplayed: true };
    if (key !== undefined && answer)
      answers.set(key, { fingerprint: answer.fingerprint, id: queued.id });
    add(queued);
    return { id: queued.id, isReplayed: false };
  };
  const callbacks = new Map<string, JobCallback>();
  const add = ({ id, tenantId, spec, terms, retryOf, tries = 1, callback }: QueuedJob) => {
    if (callback) callbacks.set(id, callback);
    const at = systemClock.now();
    const { expiresAt, priority = 0, labels = {}, startAt = at } = terms;
    jobs.set(id, {
      ...{ id, tenantId, spec, retryOf, tries, expiresAt, priority, labels },
      state: 'pending',
      version: 0,
      attempt: 0,
      waiting: true,
      runAt: startAt,
      createdAt: at,
      updatedAt: at,
      recorded: { segments: 3, lost: 1, bytes: 3_000, durationMs: 6_000 },
    });
  };

  const operations = new ServiceOperations({
    records: {
      respec: async (id, spec) => change(id, { spec }),
      transitions: async () => [
        { from: 'pending', to: 'recording', cause: 'job.begin', evidence: {}, attempt: 1, at: 1 },
      ],
      decisions: async (jobId) => [
        { jobId, dog: 'queue', decision: 'job.admit', why: 'room', evidence: {}, at: 0 },
      ],
    },
    listing: {
      page: async ({ tenantId, states, limit, after }) => {
        const all = [...jobs.values()]
          .filter((job) => tenantId === undefined || job.tenantId === tenantId)
          .filter(({ state }) => states === undefined || states.includes(state))
          .sort((one, other) => other.createdAt - one.createdAt || (one.id < other.id ? 1 : -1));
        const from = after ? all.findIndex(({ id }) => id === after.id) + 1 : 0;
        return { jobs: all.slice(from, from + limit), totalCount: all.length };
      },
      get: async (id) => jobs.get(id),
    },
    queue: { enqueue },
    keeper: {
      poke: () => undefined,
      decide: async (jobId) => {
        ended(jobId, 'rejected');
        const explanation = 'Of 1 jobs, running jobs are expected to take 1 jobs.';
        const overload = {
          resource: 'slots',
          explanation,
          limit: 1,
          expected: 1,
          needed: 1,
        } as const;
        return { kind: 'rejected', overload };
      },
    },
    node: {
      stopJob: async (jobId) => ended(jobId, 'cancelled'),
      killJob: async (jobId) => ended(jobId, 'cancelled'),
      extend: async () => undefined,
      watchdogs: () =>
        [...jobs.values()]
          .filter(({ state }) => !isTerminal(state))
          .map(({ id, state, attempt }) => ({
            jobId: id,
            state,
            attempt,
            layers: [{ layer: 'recorder', isRunning: true, misses: 0, recoveries: 0 }],
          })),
    },
    index: {
      segments: async (_, { after, limit = 10 }) =>
        [1, 2, 3]
          .filter((msn) => msn > (after?.msn ?? 0))
          .slice(0, limit)
          .map((msn) => ({
            ...{ track: 'main', epoch: 0, msn, at: msn, durationMs: 2_000, bytes: 1_000 },
            ...{ checksum: '00', container: 'ts', discontinuity: 0, file: `${msn}.ts` },
          })),
      gaps: async () => [
        {
          ...{ t: 'gap', track: 'main', epoch: 0, msn: 4, count: 1, at: 5 },
          ...{ cause: 'http.404', detail: 'gone', durationMs: 2_000 },
        },
      ],
    },
    proofOf: async () => proofOf(new Ledger()),
    logsOf: async (jobId) => [{ level: 30, time: 1, jobId, msg: 'A line.' }],
    pictureOf: async () => PICTURE,
    outputDirectory: () => '/var/lib/kennel/output',
    idempotencyMs: 60_000,
    clock: systemClock,
  });
  /** A job of a tenant, as if it had been submitted. */
  const plant = (id: string, tenantId: string, changes: Partial<ListedJob> = {}) => {
    const spec = jobSpec({ url: 'https://example.org/live.m3u8', durationMs: 60_000 });
    add({ id, tenantId, spec, sourceKey: '', costKey: 'hls', terms: {} });
    change(id, changes);
  };
  return { operations, jobs, callbacks, plant };
}
