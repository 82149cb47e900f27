import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { jobLogs } from '../../../src/jobs/jobLogs.ts';

const line = (time: number | string, jobId: string, msg: string) =>
  `${JSON.stringify({ level: 30, time, jobId, msg })}\n`;

test('the lines of the node and of its hosts about a job come in the order of their times', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kennel-logs-'));
  await writeFile(join(directory, 'kennel.log.1'), line(1_000, 'a', 'first'));
  await writeFile(
    join(directory, 'kennel.log'),
    `half a li${line(5_000, 'a', 'fourth')}${line(3_000, 'a', 'third')}${line(4_000, 'b', 'other')}`,
  );
  await writeFile(
    join(directory, 'host-1.log'),
    line(new Date(2_000).toISOString(), 'a', 'second'),
  );
  await writeFile(join(directory, 'notes.txt'), line(1, 'a', 'no log'));
  const told = async (lines: number) =>
    (await jobLogs(directory, { jobId: 'a', lines })).map(({ msg }) => msg);
  await expect(told(10)).resolves.toEqual(['first', 'second', 'third']);
  await expect(told(2)).resolves.toEqual(['second', 'third']);
});

test('without a log there are no lines', async () => {
  await expect(jobLogs('/nowhere', { jobId: 'a', lines: 10 })).resolves.toEqual([]);
});
