import { Pool } from 'undici';

/** What the load process is started with: one JSON object as its only argument. */
export interface LoadOrder {
  readonly origin: string;
  readonly paths: readonly string[];
  readonly connections: number;
  readonly seconds: number;
}

/** What it prints. */
export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers that were not 200. */
  readonly failures: number;
}

// Whoever starts it writes the order.
const order = JSON.parse(process.argv[2] ?? '{}') as LoadOrder;
const pool = new Pool(order.origin, { connections: order.connections, pipelining: 1 });
const took: number[] = [];
let failures = 0;

async function ask(path: string): Promise<void> {
  const since = performance.now();
  const { statusCode, body } = await pool.request({ path, method: 'GET' });
  await body.dump();
  took.push(performance.now() - since);
  if (statusCode !== 200) failures++;
}

async function run(seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1_000;
  await Promise.all(
    Array.from({ length: order.connections }, async (_, index) => {
      for (let turn = index; performance.now() < end; turn++)
        await ask(order.paths[turn % order.paths.length] ?? '/');
    }),
  );
}

// Code that is not compiled yet is nobody's figure.
await run(1);
took.length = 0;
failures = 0;
const since = performance.now();
await run(order.seconds);
const seconds = (performance.now() - since) / 1_000;
took.sort((one, other) => one - other);
const at = (share: number) => took[Math.floor(took.length * share)] ?? Number.NaN;
const result: LoadResult = {
  requestsPerSecond: took.length / seconds,
  p50Ms: at(0.5),
  p99Ms: at(0.99),
  failures,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
await pool.close();
