import { expect, test } from 'vitest';
import { type ApiCall, apiCall } from '../support/apiCall.ts';
import { learnCheapJobs, SHARED_MACHINE } from '../support/cheapJobs.ts';
import { kennelHome } from '../support/kennel.ts';
import { startOrigin } from '../support/origin/origin.ts';
import { ServiceUnderTest } from '../support/serviceUnderTest.ts';

/**
 * More jobs at once than fit, of three tenants with different weights, on the real service. The full size, which takes a quarter of
 * an hour on two cores: `KENNEL_TEST_JOBS=500 KENNEL_TEST_JOBS_MAX=20 vitest run … test/e2e/serviceQueue.test.ts`.
 */
const JOBS = Number(process.env['KENNEL_TEST_JOBS'] ?? 48);
const JOBS_MAX = Number(process.env['KENNEL_TEST_JOBS_MAX'] ?? 8);
/** On a machine that is busy with other things each takes seconds; how long decides nothing. */
const WITHIN_MS = JOBS * 10_000;

const WEIGHTS = { one: 1, two: 2, five: 5 } as const;
type Tenant = keyof typeof WEIGHTS;
const TENANTS: readonly Tenant[] = ['one', 'two', 'five'];
const WEIGHT_SUM = 8;
const SHARE_TOLERANCE = 0.05;

interface Course {
  readonly id: string;
  readonly tenant: Tenant;
  readonly state: string;
  readonly createdAt: number;
  /** When the queue gave it to the tree, and when it had ended, milliseconds since the epoch. */
  readonly admittedAt: number;
  readonly endedAt: number;
}

test(
  'of many jobs at once all end, none waits past its turn, and tenants have their shares while all of them wait',
  async () => {
    await using origin = await startOrigin({ streams: { ts: { window: 6 } } });
    const home = kennelHome();
    await learnCheapJobs({ directory: home.dataDir });
    await using service = await ServiceUnderTest.on({
      home,
      env: {
        ...SHARED_MACHINE,
        KENNEL_CAPACITY_JOBS_MAX: String(JOBS_MAX),
        // Without ffmpeg, which would take most of the time.
        PATH: '/nonexistent',
        KENNEL_LOG_LEVEL: 'warn',
      },
    });
    await service.start();
    const call = apiCall(service.url);
    const submitted = await submitAll(call, origin.playlistUrl('ts'));
    expect(submitted.map(({ status }) => status)).toEqual(submitted.map(() => 201));
    await allEnded(call, () => service.said());
    const courses = await Promise.all(
      submitted.map(({ id, tenant }) => courseOf(call, { id, tenant })),
    );
    await service.stop();

    expect(
      Map.groupBy(courses, ({ state }) => state)
        .keys()
        .toArray(),
    ).toEqual(['done']);
    expect(mostAtOnce(courses)).toBeLessThanOrEqual(JOBS_MAX);
    expect(pastTheirTurn(courses)).toEqual([]);
    const shares = sharesOf(courses);
    for (const tenant of TENANTS) {
      const due = WEIGHTS[tenant] / WEIGHT_SUM;
      expect(Math.abs(shares[tenant] - due), JSON.stringify(shares)).toBeLessThan(SHARE_TOLERANCE);
    }
  },
  WITHIN_MS + 60_000,
);

/** Each tenant has as many jobs as its weight says, so that all of them wait for as long as possible. */
async function submitAll(call: ApiCall, url: string) {
  const keys = new Map<Tenant, string>();
  for (const tenant of TENANTS) {
    const terms = { name: tenant, weight: WEIGHTS[tenant] };
    await call(`PUT /tenants/${tenant}`, { body: terms });
    const key = { name: 'test', tenantId: tenant, scopes: ['jobs.read', 'jobs.write'] };
    keys.set(tenant, (await call('POST /keys', { body: key })).body.text);
  }
  const turns = TENANTS.flatMap((tenant) => Array<Tenant>(WEIGHTS[tenant]).fill(tenant));
  return await Promise.all(
    Array.from({ length: JOBS }, async (_, index) => {
      const tenant = turns[index % turns.length] ?? 'one';
      const body = { url: `${url}?job=${index}`, durationSeconds: 1 };
      const key = keys.get(tenant) ?? '';
      const answer = await call('POST /jobs', { key, body });
      return { status: answer.status, id: String(answer.body.id), tenant };
    }),
  );
}

async function allEnded(call: ApiCall, said: () => string): Promise<void> {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    const { body } = await call('GET /jobs?state=done&state=failed&state=rejected&limit=1');
    if (body.total_count === JOBS) return;
    if (performance.now() > deadline)
      throw new Error(`${body.total_count} of ${JOBS} have ended\n${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function courseOf(
  call: ApiCall,
  { id, tenant }: Pick<Course, 'id' | 'tenant'>,
): Promise<Course> {
  const { body: job } = await call(`GET /jobs/${id}`);
  const { body } = await call(`GET /jobs/${id}/transitions`);
  const history: { at: string; kind: string; what: string }[] = body.transitions;
  const admitted = history.find(({ what }) => what === 'queue.admit');
  const ended = history.findLast(({ kind }) => kind === 'move');
  return {
    id,
    tenant,
    state: job.state,
    createdAt: Date.parse(job.createdAt),
    admittedAt: Date.parse(admitted?.at ?? ''),
    endedAt: Date.parse(ended?.at ?? ''),
  };
}

/** Jobs that were in the tree at the same time. The end is told before the place is free: never the other way round. */
function mostAtOnce(courses: readonly Course[]): number {
  const steps = courses
    .flatMap(({ admittedAt, endedAt }) => [
      { at: admittedAt, by: 1 },
      { at: endedAt, by: -1 },
    ])
    .toSorted((one, other) => one.at - other.at || one.by - other.by);
  let now = 0;
  return Math.max(
    ...steps.map(({ by }) => {
      now += by;
      return now;
    }),
  );
}

const byAdmission = (one: Course, other: Course) => one.admittedAt - other.admittedAt;

/**
 * Jobs that came later than their place says. The nth job of a tenant is due when so many were admitted in all as give n to this
 * tenant by weight; places that are occupied when they come in, and one that is owed, may be between.
 */
function pastTheirTurn(courses: readonly Course[]) {
  const order = courses.toSorted(byAdmission);
  return TENANTS.flatMap((tenant) =>
    courses
      .filter((course) => course.tenant === tenant)
      .toSorted((one, other) => one.createdAt - other.createdAt || (one.id < other.id ? -1 : 1))
      .map((course, place) => {
        const due = ((place + 2) * WEIGHT_SUM) / WEIGHTS[tenant] + JOBS_MAX;
        return { tenant, place, due, admitted: order.indexOf(course) };
      })
      .filter(({ due, admitted }) => admitted > due),
  );
}

/** Of the admissions until the first tenant had none left that waits. */
function sharesOf(courses: readonly Course[]): Readonly<Record<Tenant, number>> {
  const order = courses.toSorted(byAdmission);
  const lasts = TENANTS.map((tenant) => order.findLastIndex((course) => course.tenant === tenant));
  const contested = order.slice(0, Math.min(...lasts));
  const part = (tenant: Tenant) =>
    contested.filter((course) => course.tenant === tenant).length / contested.length;
  return { one: part('one'), two: part('two'), five: part('five') };
}
