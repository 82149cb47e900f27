import { expect, test } from 'vitest';
import { type DrillReport, serviceDrill } from '../support/serviceDrills/serviceDrill.ts';

/*
 * The service fails for real while jobs come in: see serviceDrills.ts, which does the same for as long as one likes. What was lost,
 * doubled or left behind is a fault of the report.
 */

const SECONDS = 14;

/** Printed when something is wrong: the same seed strikes at the same moments. */
const seed = Math.floor(Math.random() * 1e9);
const drill = { outageSeconds: 10, seconds: SECONDS, jobs: 3, seed };

function nothingWrong(report: DrillReport): void {
  expect(report.faults, `seed ${seed}`).toEqual([]);
  expect(report).toMatchObject({ jobs: 3, states: { done: 3 }, media: { lost: [] } });
  expect(report.media.stored).toBeGreaterThan(3 * 6);
}

test('kill -9 of the service at random moments loses no job and no segment, doubles none, and leaves no process', async () => {
  const report = await serviceDrill({ ...drill, kills: 3, outages: 0, database: 'pglite' });
  if ('missing' in report) throw new Error(report.missing);
  nothingWrong(report);
  expect(report.lives).toBe(4);
});

test('a database that is stopped while the service is killed too stops no recording, and moves arrive whole and in order', async ({
  skip,
}) => {
  const report = await serviceDrill({ ...drill, kills: 1, outages: 1, database: 'postgres' });
  if ('missing' in report) return skip(`(skipped: ${report.missing})`);
  nothingWrong(report);
});
