import { createCipheriv } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { failureOf, orderOf, segmentOf, setup } from './segmentTakerSetup.ts';
import { mp4, tsSegment } from './streamRecorderOrigin.ts';
import { answer, rawServer } from './transportServer.ts';

const encrypted = (bytes: Buffer, key: Buffer, iv: Buffer) => {
  const cipher = createCipheriv('aes-128-cbc', key, iv);
  return Buffer.concat([cipher.update(bytes), cipher.final()]);
};
const ivOf = (msn: number) => {
  const iv = Buffer.alloc(16);
  iv.writeUInt32BE(msn, 12);
  return iv;
};

describe('an encrypted segment', () => {
  const key = Buffer.alloc(16, 1);
  const other = Buffer.alloc(16, 9);
  /** An origin with a key that may change and segments encrypted with what they are given. */
  const origin = async (keys: readonly Buffer[], body: (path: string) => Buffer) => {
    let next = 0;
    const server = await rawServer((socket, request) => {
      const name = /GET (\S+)/.exec(request)?.[1] ?? '';
      if (name !== '/key') return socket.write(answer(body(name)));
      return socket.write(answer(keys[Math.min(next++, keys.length - 1)] ?? ''));
    });
    const encryption = { method: 'AES-128', url: server.url('/key') } as const;
    return {
      server,
      encryption,
      keysAsked: () => server.requests.filter((one) => one.includes('/key')).length,
    };
  };

  test('is stored in the clear, its IV as the key says it or as its own source numbers it', async () => {
    const { take, file, isSound } = await setup();
    const { server, encryption, keysAsked } = await origin([key], (name) =>
      encrypted(tsSegment(1), key, name === '/explicit.ts' ? other : ivOf(4_000)),
    );
    const derived = segmentOf(server.url('/derived.ts'), { msn: 4_000, key: encryption });
    await take(orderOf(derived, { key: { track: 'main', epoch: 0, msn: 12 } }));
    const explicit = { ...encryption, iv: other.toString('hex').toUpperCase() };
    await take(orderOf(segmentOf(server.url('/explicit.ts'), { msn: 13, key: explicit })));
    for (const msn of [12, 13])
      expect(await readFile(file(`media/main/e0000/00000000${msn}.ts`))).toEqual(tsSegment(1));
    expect(keysAsked()).toBe(1);
    await isSound();
  });

  test('may have an encrypted initialisation section', async () => {
    const { take, file, isSound } = await setup();
    const { server, encryption } = await origin([key], (name) =>
      name === '/init'
        ? encrypted(mp4(['moov', 'x']), key, other)
        : encrypted(mp4(['moof', 'x'], ['mdat', 'x']), key, ivOf(7)),
    );
    const init = { url: server.url('/init'), key: { ...encryption, iv: other.toString('hex') } };
    await take(orderOf(segmentOf(server.url('/s'), { init, key: encryption })));
    expect(await readFile(file('media/main/init-0.mp4'))).toEqual(mp4(['moov', 'x']));
    await isSound();
  });

  test('is fetched again with a new key when the one that was kept does not fit any more', async () => {
    const { take, stored } = await setup();
    const { server, encryption, keysAsked } = await origin([other, key], (name) =>
      encrypted(tsSegment(1), name === '/1.ts' ? other : key, ivOf(7)),
    );
    await take(orderOf(segmentOf(server.url('/1.ts'), { key: encryption })));
    const next = orderOf(segmentOf(server.url('/2.ts'), { key: encryption }));
    await take({ ...next, key: { ...next.key, msn: 8 } });
    expect(await stored()).toHaveLength(2);
    expect(keysAsked()).toBe(2);
  });

  test('fails after one new key when that does not fit either', async () => {
    const { take, media } = await setup();
    const { server, encryption, keysAsked } = await origin([other], (name) =>
      encrypted(tsSegment(1), name === '/1.ts' ? other : key, ivOf(7)),
    );
    await take(orderOf(segmentOf(server.url('/1.ts'), { key: encryption })));
    const next = orderOf(segmentOf(server.url('/2.ts'), { key: encryption }), {
      key: { track: 'main', epoch: 0, msn: 8 },
    });
    expect(await failureOf(take(next))).toMatchObject({ cause: 'invalid' });
    expect(keysAsked()).toBe(2);
    expect(await media()).toEqual(['main/e0000/0000000007.ts']);
  });

  test('fails with the cause of its key, which is asked for again by the next try', async () => {
    const { take, stored } = await setup();
    const server = await rawServer((socket, request, index) => {
      const body = request.includes('/key') ? key : encrypted(tsSegment(1), key, ivOf(7));
      socket.write(index === 0 ? answer('', '403 No') : answer(body));
    });
    const encryption = { method: 'AES-128', url: server.url('/key') } as const;
    const order = orderOf(segmentOf(server.url('/s.ts'), { key: encryption }));
    expect(await failureOf(take(order))).toEqual({
      cause: 'http.403',
      detail: expect.stringMatching(/^the key of a segment: /),
    });
    await take(order);
    expect(await stored()).toHaveLength(1);
  });
});
