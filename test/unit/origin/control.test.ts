import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { rawGet } from './rawGet.ts';
import { setup } from './setup.ts';

const put = (url: string, body: unknown): Promise<Response> =>
  fetch(url, { method: 'PUT', body: JSON.stringify(body) });

/** For what comes within milliseconds on a machine that has nothing else to do. */
const PATIENCE_MS = 10_000;

test('faults, numbers, ends and new streams can be ordered by PUT', async () => {
  const { advance, origin, playlist, segment } = await setup();
  const control = `${origin.url}/control/live`;
  await put(control, { fault: { on: 'segment', index: 1, do: 'status', status: 410 } });
  expect((await segment('1.ts')).status).toBe(410);
  await put(control, { heal: true, renumber: { kind: 'jump', at: 6, to: 4_000 } });
  expect((await segment('1.ts')).status).toBe(200);
  advance(1_000);
  await put(control, { end: true });
  const text = (await playlist()).body.toString();
  expect(text).toMatch(/MEDIA-SEQUENCE:4000\n.*#EXT-X-ENDLIST\n$/s);
  await put(`${origin.url}/control/second`, { options: { set: 'hi', window: 2 } });
  expect((await rawGet(origin.playlistUrl('second'))).status).toBe(200);
});

test('what happened can be read by GET', async () => {
  const { origin, playlist } = await setup();
  await playlist();
  const truth: unknown = await (await fetch(`${origin.url}/control/live`)).json();
  expect(truth).toEqual(JSON.parse(JSON.stringify(origin.truth('live'))));
});

test('an order that makes no sense is refused with the reason', async () => {
  const { origin } = await setup();
  const wrong = await put(`${origin.url}/control/live`, {
    fault: { on: 'segment', do: 'explode' },
  });
  expect(wrong.status).toBe(400);
  expect(await wrong.text()).toContain('fault');
  expect((await put(`${origin.url}/control/nobody`, { heal: true })).status).toBe(400);
});

test('the origin runs as a program of its own, can be away for a while, and ends when told', async () => {
  const main = join(import.meta.dirname, '../../support/origin/main.ts');
  const program = execa(process.execPath, [main, '--set', 'hi', '--rate', '2'], { reject: false });
  onTestFinished(() => {
    program.kill('SIGKILL');
  });
  const [line] = (await once(createInterface(program.stdout), 'line')) as [string];
  const { url, playlists } = JSON.parse(line) as { url: string; playlists: [string] };
  expect((await rawGet(playlists[0])).status).toBe(200);

  await put(`${url}/control/hi`, { fault: { on: 'playlist', do: 'hang', times: 1 } });
  const hanging = rawGet(playlists[0]).catch((error: Error) => error.message);
  const errors = async (): Promise<unknown> => {
    const truth = await (await fetch(`${url}/control/hi`)).json();
    return (truth as { errors: unknown }).errors;
  };
  await expect.poll(errors, { timeout: PATIENCE_MS }).toHaveLength(1);
  await put(`${url}/control`, { downMs: 20 });
  expect(await hanging).toBe('socket hang up');
  const status = (): Promise<number> =>
    rawGet(playlists[0]).then(
      (answer) => answer.status,
      () => 0,
    );
  await expect.poll(status, { timeout: PATIENCE_MS }).toBe(200);
  program.kill('SIGTERM');
  expect((await program).exitCode).toBe(0);
});
