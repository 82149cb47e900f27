import { expect, onTestFinished, test } from 'vitest';
import { fetchFailure } from '../../../src/hls/segment/fetchFailure.ts';
import { KeyStore } from '../../../src/hls/segment/keyStore.ts';
import { leanTransport } from '../../../src/hls/transport/leanTransport.ts';
import { answer, type RawServer, rawServer } from './transportServer.ts';

const keyBytes = (content: number) => Buffer.alloc(16, content);

function setup() {
  const transport = leanTransport();
  onTestFinished(() => transport.close());
  const keys = new KeyStore({ transport, headers: { cookie: 'a=b' } });
  const get = async (url: URL, signal = new AbortController().signal) =>
    await keys.get(url, { signal, idleTimeoutMs: 5_000 });
  return { keys, get };
}

/** Resolves once the server has seen so many requests. */
async function asked(server: RawServer, count: number): Promise<void> {
  while (server.requests.length < count) await new Promise((resolve) => setImmediate(resolve));
}

test('a key is fetched once, with the headers of the job, however many ask for it', async () => {
  const { get } = setup();
  const server = await rawServer((socket, request) => {
    setImmediate(() => socket.write(answer(keyBytes(request.includes('/two') ? 2 : 1))));
  });
  const found = await Promise.all(
    ['/one', '/two', '/one', '/one'].map(async (path) => await get(server.url(path))),
  );
  expect(found.map(({ bytes }) => bytes[0])).toEqual([1, 2, 1, 1]);
  expect(await get(server.url('/one'))).toEqual({ bytes: keyBytes(1), isFresh: false });
  expect(server.requests).toHaveLength(2);
  expect(server.requests.every((request) => request.includes('cookie: a=b'))).toBe(true);
});

test('a key that did not fit is fetched again, once for all that found it so', async () => {
  const { keys, get } = setup();
  const server = await rawServer((socket, _, index) => socket.write(answer(keyBytes(index))));
  const { bytes } = await get(server.url());
  keys.forget(server.url(), bytes);
  expect(await get(server.url())).toEqual({ bytes: keyBytes(1), isFresh: true });
  // Somebody who was slower found the same about the old one.
  keys.forget(server.url(), bytes);
  expect(await get(server.url())).toEqual({ bytes: keyBytes(1), isFresh: false });
});

test('only so many keys are kept: the one that was used least recently goes', async () => {
  const { get } = setup();
  const server = await rawServer(answer(keyBytes(1)));
  for (let key = 0; key < 64; key++) await get(server.url(`/${key}`));
  await get(server.url('/0'));
  await get(server.url('/64'));
  expect((await get(server.url('/0'))).isFresh).toBe(false);
  expect((await get(server.url('/1'))).isFresh).toBe(true);
});

test('a key that cannot be had fails with its own cause, and says that it was the key', async () => {
  const { get } = setup();
  const failureOf = async (body: Buffer) =>
    fetchFailure(
      await get((await rawServer(body)).url()).then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
  for (const status of [403, 404, 500]) {
    expect(await failureOf(answer('no', `${status} No`))).toEqual({
      cause: `http.${status}`,
      detail: expect.stringMatching(/^the key of a segment: .* answered/),
    });
  }
  for (const bytes of [0, 15, 17, 32]) {
    expect(await failureOf(answer(Buffer.alloc(bytes)))).toEqual({
      cause: 'invalid',
      detail: expect.stringMatching(new RegExp(`the key .*sent ${bytes} bytes instead of 16`)),
    });
  }
  expect(await failureOf(answer(Buffer.alloc(100_000)))).toMatchObject({ cause: 'invalid' });
});

test('no error holds a key, whole or in part', async () => {
  const { get } = setup();
  const server = await rawServer(answer('0123456789abcdef0'));
  const error = await get(server.url()).catch((failure: unknown) => failure);
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('01234567');
});

test('who stops waiting does not take the key from the others; when nobody waits the request ends', async () => {
  const { get } = setup();
  const server = await rawServer(() => undefined);
  const [one, two] = [new AbortController(), new AbortController()];
  const first = get(server.url(), one.signal);
  const second = get(server.url(), two.signal);
  await asked(server, 1);
  one.abort('enough');
  await expect(first).rejects.toBe('enough');
  server.sockets[0]?.write(answer(keyBytes(7)));
  expect((await second).bytes).toEqual(keyBytes(7));
  const third = get(server.url('/other'), two.signal);
  await asked(server, 2);
  const closed = new Promise((resolve) => server.sockets[0]?.once('close', resolve));
  two.abort('enough');
  await expect(third).rejects.toBe('enough');
  await closed;
  // Nothing of it is left: the next one asks afresh.
  const fourth = get(server.url('/other'));
  await asked(server, 3);
  server.sockets[1]?.write(answer(keyBytes(8)));
  expect((await fourth).bytes).toEqual(keyBytes(8));
});
