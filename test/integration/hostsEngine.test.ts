import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { Job } from '../../machines/ports.ts';
import { reachOfLinks } from '../../src/egress/reachOfLinks.ts';
import { readJournal } from '../../src/ledger/journal.ts';
import { HostBench, jobOf, type Node, until } from '../fixtures/hostBench.ts';
import { Origin } from '../support/origin/origin.ts';
import { reconcile } from '../support/origin/reconcile.ts';

const ENGINE = join(import.meta.dirname, '../../src/hosts/host/main.ts');
/** Segments that the origin offers before its ENDLIST, at four a second: two nodes and a host have to start meanwhile, on any machine. */
const SEGMENTS = 60;

let cleanUp = new AsyncDisposableStack();
afterEach(async () => {
  await cleanUp.disposeAsync();
  cleanUp = new AsyncDisposableStack();
});

async function setup() {
  const origin = await Origin.start({
    streams: {
      ts: { set: 'ts', rate: 4, window: 40, prefill: 2, endAfter: SEGMENTS, startsOnRequest: true },
    },
  });
  cleanUp.use(origin);
  const here = new HostBench();
  cleanUp.defer(async () => await here.close());
  const node = async (): Promise<Node> => {
    const made = here.node({ entry: ENGINE });
    await made.pool.start();
    return made;
  };
  const job = (attempt: number): Job => {
    const base = jobOf('a', 'tick', attempt);
    const url = origin.playlistUrl();
    const spec = { ...base.spec, url, reach: reachOfLinks([url]), patienceMs: 10_000 };
    return { ...base, spec };
  };
  const records = async () => (await readJournal(join(here.recordings, 'a'))).records;
  const stored = async () => (await records()).filter(({ t }) => t === 'segment').length;
  return { origin, here, node, job, records, stored };
}

it('loses no segment to an upgrade of the supervisor and a host killed with -9', async () => {
  const { origin, here, node, job, records, stored } = await setup();
  const first = await node();
  await first.take(job(1)).started();
  await until(async () => (await stored()) >= 4);
  await first.pool.stop({ leave: true });

  const second = await node();
  const adopted = second.take(job(1));
  const before = await stored();
  await until(async () => (await stored()) >= before + 4);
  expect((await records()).filter(({ t }) => t === 'attempt')).toHaveLength(1);
  const [pid] = await here.hostPids();
  if (pid === undefined) throw new Error('there is no host');
  process.kill(pid, 'SIGKILL');
  expect(await adopted.exit()).toMatchObject({ kind: 'crashed', why: 'host.died' });

  const exit = await second.take(job(2)).exit();
  expect(exit).toMatchObject({ kind: 'ended', why: 'endlist' });
  expect(second.leash.progress('a').settled).toBe(second.leash.progress('a').advertised);

  const ledger = await records();
  expect(ledger.filter(({ t }) => t === 'attempt')).toHaveLength(2);
  expect(ledger.filter(({ t }) => t === 'started')).toHaveLength(1);
  const judged = reconcile(origin.stream(), {
    stored: ledger.filter((record) => record.t === 'segment'),
    lost: ledger.filter((record) => record.t === 'gap'),
  });
  expect(judged).toMatchObject({ lost: [], unaccounted: [], twice: [], wrong: [], invented: [] });
  expect(judged.stored).toHaveLength(SEGMENTS);
  await second.pool.stop();
  expect(await here.hostPids()).toEqual([]);
});
