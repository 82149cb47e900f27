import { createServer } from 'node:http';
import { expect, it, onTestFinished, test } from 'vitest';
import { probeLines } from '../../../src/cli/probeLines.ts';
import { KennelError } from '../../../src/core/errors.ts';
import type { ResolvedLink } from '../../../src/intake/link.ts';
import { openProbe, type ProbePrograms } from '../../../src/jobs/openProbe.ts';
import { type ProbeOptions, probe } from '../../../src/jobs/probe.ts';
import { type PageServer, pageServer } from '../../fixtures/pages/pageServer.ts';

async function site(): Promise<PageServer> {
  const server = await pageServer();
  onTestFinished(() => server.close());
  return server;
}

async function probed(
  target: string,
  programs: ProbePrograms = {},
  request: ProbeOptions['request'] = {},
) {
  const parts = openProbe(programs);
  onTestFinished(() => parts.close());
  const signal = new AbortController().signal;
  return await probe({ target, signal, request, parts: async () => parts });
}

const pageOf = (
  link: Partial<ResolvedLink> & Pick<ResolvedLink, 'url' | 'kind'>,
): ProbePrograms => ({
  pages: async () => ({ headers: {}, formats: [], resolver: 'fake 1', ...link }),
});

test('a stream without a telling name is told by its answer, and the native engine records it', async () => {
  const { url } = await site();
  const found = await probed(`${url}/stream?id=1`);
  expect(found).toMatchObject({ kind: 'master', link: { kind: 'hls', recorder: 'native' } });
  expect(found.link?.resolver).toBeUndefined();
  expect(probeLines(found).join('\n')).toMatch(/recorder +native\n[\s\S]*variant +1280×720/);
});

test('what is behind a page is read as its recording would, and told without its secrets', async () => {
  const { url, asked } = await site();
  const programs = pageOf({
    kind: 'hls',
    url: new URL(`${url}/master.m3u8`),
    headers: { Referer: `${url}/watch` },
    cookies: '127.0.0.1\tFALSE\t/\tFALSE\t0\tvisit\thush\n',
    title: 'Evening',
    isLive: true,
    expiresAt: Date.UTC(2030, 0, 1),
    formats: [{ id: 'hls-1', protocol: 'm3u8_native', height: 720, bitsPerSecond: 3e6 }],
  });
  const found = await probed(`${url}/watch`, programs);
  expect(asked.findLast(({ path }) => path === '/master.m3u8')?.headers).toMatchObject({
    referer: `${url}/watch`,
    cookie: 'visit=hush',
  });
  expect(JSON.stringify(found)).not.toContain('hush');
  const text = probeLines(found).join('\n');
  for (const part of ['fake 1', 'Evening', 'yes', '2030-01-01', '3.0 Mb/s'])
    expect(text).toContain(part);
});

test('what is no HLS is told with its streams, and with who would record it or why nobody would', async () => {
  const { url } = await site();
  const programs: ProbePrograms = {
    recorderFor: async () => 'ffmpeg',
    mediaOf: async () => ({ format: 'flv', streams: [{ kind: 'video', codec: 'h264' }] }),
  };
  expect(await probed('rtmp://10.0.0.5/app/key', programs)).toMatchObject({
    kind: 'stream',
    media: { format: 'flv' },
    link: { kind: 'rtmp', recorder: 'ffmpeg' },
  });
  const failing = async () => {
    throw new KennelError('tool.missing', 'There is no ffmpeg.');
  };
  const found = await probed(`${url}/clip.mp4`, { recorderFor: failing, mediaOf: failing });
  expect(found).toMatchObject({ kind: 'stream', mediaProblem: { code: 'tool.missing' } });
  expect(probeLines(found).join('\n')).toContain('[tool.missing]');
});

it.each([
  ['/nothing', 'tool.missing'],
  ['/missing', 'source.notFound'],
  ['/gone.m3u8', 'source.notFound'],
  ['/clip.m3u8', 'source.notFound'],
])('%s is refused with %s where nobody reads pages', async (path, code) => {
  const { url } = await site();
  await expect(probed(url + path)).rejects.toMatchObject({ code });
});

test('a link that leads to an address that is not public is refused there', async () => {
  const inner = await site();
  const outer = createServer((_, response) => {
    response.writeHead(302, { location: `${inner.url}/master.m3u8` }).end();
  });
  await new Promise<void>((resolve) => outer.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void outer.close());
  const address = outer.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const link = `http://127.0.0.1:${port}/live.m3u8`;
  await expect(probed(link)).rejects.toMatchObject({ code: 'address.refused' });
  expect(inner.asked).toEqual([]);
  expect(await probed(link, {}, { allow: ['127.0.0.0/8'] })).toMatchObject({ kind: 'master' });
});
