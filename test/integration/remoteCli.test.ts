import { existsSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { isAlive, type KennelHome, kennelHome, until } from '../support/kennel.ts';
import { startOrigin } from '../support/origin/origin.ts';
import { serve } from '../support/service.ts';

const homes: KennelHome[] = [];
afterEach(() => {
  for (const home of homes.splice(0)) {
    for (const pid of home.processes()) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    home.remove();
  }
});

test('the command line beside a service speaks to it: submit, follow, stop, why, and without it reads what it left', async () => {
  const home = kennelHome();
  homes.push(home);
  await using origin = await startOrigin({
    streams: { short: { window: 6, endAfter: 8 }, long: { window: 6 } },
  });
  const { running, answers } = await serve(home);
  await running.saw('ready');
  await answers('/readyz', 200);

  const short = await home.run(['submit', origin.playlistUrl('short'), '--follow']);
  expect(short.stdout).toContain('complete: advertised');
  expect(short.code).toBe(0);

  const submitted = await home.run(['submit', origin.playlistUrl('long'), '--quiet']);
  const id = submitted.stdout.trim();
  const watched = home.start(['watch', id]);
  await watched.saw(`watches the job ${id}`);
  const stopped = await home.run(['stop', id.slice(-8), '--json']);
  expect(JSON.parse(stopped.stdout)).toMatchObject({ id });
  expect((await watched.ended).code).toBe(0);
  expect((await home.run(['why', id])).stdout).toContain('uploading → done');
  expect((await home.run(['kill', id])).stderr).toContain('[job.conflict]');

  running.child.kill('SIGTERM');
  expect((await running.ended).code).toBe(0);
  const listed = await home.run(['jobs']);
  expect(listed.stdout.match(/done\/complete/g)).toHaveLength(2);
  const refused = await home.run(['kill', id]);
  expect(refused.code).toBe(69);
  expect(refused.stderr).toContain('kennel serve');
  await until('no process is left', () => home.processes().length === 0, 5_000);
});

test('a service that was killed leaves a file that nobody is led astray by', async () => {
  const home = kennelHome();
  homes.push(home);
  const { running } = await serve(home);
  await running.saw('ready');
  running.child.kill('SIGKILL');
  await running.ended;
  expect(existsSync(`${home.dataDir}/service.json`)).toBe(true);
  expect((await home.run(['jobs'])).code).toBe(0);
});
