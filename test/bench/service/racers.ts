import { Pool } from 'undici';

export interface RaceResult {
  readonly keys: number;
  readonly requests: number;
  /** Requests by the status that answered them. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Different jobs that the answers name. */
  readonly jobs: number;
  readonly seconds: number;
}

const KEYS_AT_ONCE = 10;
/** A year: nothing of it begins while it is measured. */
const LATER_MS = 365 * 86_400_000;

/** Many send the same request under one Idempotency-Key at the same time, for each of many keys. Those that are told 409 ask again. */
export async function race(
  origin: string,
  { keys, racers }: { readonly keys: number; readonly racers: number },
): Promise<RaceResult> {
  const pool = new Pool(origin, { connections: KEYS_AT_ONCE * racers, pipelining: 1 });
  const statuses: Record<string, number> = {};
  const jobs = new Set<string>();
  const startAt = new Date(Date.now() + LATER_MS).toISOString();
  const submit = async (key: number): Promise<void> => {
    for (;;) {
      const { statusCode, body } = await pool.request({
        path: '/api/v1/jobs',
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': `"race-${key}"` },
        body: JSON.stringify({ url: `https://example.org/${key}.m3u8`, startAt }),
      });
      statuses[statusCode] = (statuses[statusCode] ?? 0) + 1;
      // Every answer that names a job is one.
      const { id } = (await body.json()) as { readonly id?: string };
      if (id !== undefined) jobs.add(id);
      if (statusCode !== 409) return;
    }
  };
  const since = performance.now();
  for (let first = 0; first < keys; first += KEYS_AT_ONCE) {
    const some = Array.from(
      { length: Math.min(KEYS_AT_ONCE, keys - first) },
      (_, at) => first + at,
    );
    await Promise.all(some.flatMap((key) => Array.from({ length: racers }, () => submit(key))));
  }
  const seconds = (performance.now() - since) / 1_000;
  await pool.close();
  const requests = Object.values(statuses).reduce((all, one) => all + one, 0);
  return { keys, requests, statuses, jobs: jobs.size, seconds };
}
