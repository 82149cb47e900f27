import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { isKennelError } from '../../src/core/errors.ts';
import { leanTransport } from '../../src/hls/transport/leanTransport.ts';
import type { ResolveOptions } from '../../src/intake/link.ts';
import { lookAtLink } from '../../src/intake/linkLook.ts';
import { linkResolver } from '../../src/intake/linkResolver.ts';
import { ytDlpResolver } from '../../src/intake/ytDlpResolver.ts';
import { openParts } from '../fixtures/pages/openParts.ts';
import { type PageServer, pageServer } from '../fixtures/pages/pageServer.ts';
import { toolPath, whyMissing } from '../support/tools.ts';

const path = await toolPath('yt-dlp');
const missing = path === undefined ? ` (did not run: ${await whyMissing('yt-dlp')})` : '';

describe.skipIf(path === undefined)(`the real yt-dlp tells what is behind a page${missing}`, () => {
  let site: PageServer;
  let workRoot: string;
  let version: string;

  beforeAll(async () => {
    site = await pageServer();
    workRoot = await mkdtemp(join(tmpdir(), 'kennel-intake-'));
    version = (await execa(path ?? '', ['--version'])).stdout.trim();
  });
  afterAll(async () => {
    await site.close();
    await rm(workRoot, { recursive: true, force: true });
  });

  const wishes = (more: Partial<ResolveOptions> = {}): ResolveOptions => ({
    signal: AbortSignal.timeout(60_000),
    quality: ['best'],
    ...more,
  });
  const resolver = (refused: readonly string[] = []) =>
    ytDlpResolver({
      ...openParts(workRoot, refused),
      tool: { path: path ?? '', version },
      nodePath: process.execPath,
    });
  const resolve = async (page: string, more: Partial<ResolveOptions> = {}) =>
    await resolver()(new URL(page, site.url), wishes(more));
  const refusal = async (page: string, more: Partial<ResolveOptions> = {}, refused?: string[]) => {
    try {
      await resolver(refused)(new URL(page, site.url), wishes(more));
    } catch (error) {
      if (isKennelError(error)) return error;
      throw error;
    }
    throw new Error('it was not refused');
  };

  it('HLS is told by its master playlist, with title, headers, cookies and formats', async () => {
    const found = await resolve('/watch', { quality: ['720p', 'best'] });
    expect(found).toMatchObject({
      kind: 'hls',
      resolver: `yt-dlp ${version}`,
      headers: { Referer: `${site.url}/watch` },
    });
    expect(found.url.href).toBe(`${site.url}/master.m3u8`);
    expect(found.title).toMatch(/^Café & more/);
    expect(found.cookies).toMatch(/\tvisit\t7/);
    expect(found.formats.map(({ height }) => height)).toEqual([360, 720]);
    expect(await readdir(workRoot)).toEqual([]);
  });

  it('a format that was asked for by name is told by its own playlist, and when that expires', async () => {
    const found = await resolve('/watch', { format: 'hls-1000' });
    expect(found.url.href).toBe(`${site.url}/low.m3u8?exp=4102444800`);
  });

  it('a page that redirects is followed', async () => {
    expect((await resolve('/redirect')).url.pathname).toBe('/master.m3u8');
  });

  it('a file is told as a file', async () => {
    const found = await resolve('/file');
    expect([found.kind, found.url.pathname]).toEqual(['file', '/clip.mp4']);
  });

  it('headers and cookies of the job are sent, and are not among what everybody sees', async () => {
    const secret = 'quo"te \'s $(id) `id` \\ #x';
    const cookies = `127.0.0.1\tFALSE\t/\tFALSE\t0\tsid\tabc\n`;
    await resolve('/watch?secret=1', { headers: { 'X-Secret': secret }, cookies });
    const asked = site.asked.findLast((one) => one.path === '/watch');
    expect(asked?.headers).toMatchObject({ 'x-secret': secret, cookie: 'sid=abc' });
  });

  it.each([
    ['/nothing', 'source.unsupported', false],
    ['/forbidden', 'source.refused', true],
    ['/missing', 'source.notFound', true],
    ['/broken', 'source.unavailable', true],
    ['/login', 'source.login', false],
    ['http://127.0.0.1:9/', 'source.unavailable', true],
  ])('%s is refused with %s', async (page, code, retryable) => {
    const error = await refusal(page);
    expect([error.code, error.retryable]).toEqual([code, retryable]);
    expect(error.message).not.toMatch(/please report|caused by/);
  });

  it('a page with two broadcasts is refused as a list that names them', async () => {
    const { code, message } = await refusal('/two');
    expect(code).toBe('source.list');
    expect(message).toContain('list of 2 broadcasts');
  });

  it('a format that is not there is refused', async () => {
    expect((await refusal('/watch', { format: 'nope' })).code).toBe('quality.notFound');
  });

  it('what the gate refused is the reason when nobody else answered', async () => {
    const { code, message } = await refusal('http://127.0.0.1:9/', {}, ['127.0.0.1:9']);
    expect(code).toBe('address.refused');
    expect(message).toContain('--allow');
  });

  it('a page that is not there yet is not found until it is', async () => {
    expect((await refusal('/later')).retryable).toBe(true);
    site.goLive();
    expect((await resolve('/later')).kind).toBe('hls');
  });

  it('whoever leaves leaves nothing behind', async () => {
    const leaving = new AbortController();
    const asking = resolve('/watch', { signal: leaving.signal });
    leaving.abort(new Error('left'));
    await expect(asking).rejects.toThrow('left');
    expect(await readdir(workRoot)).toEqual([]);
  });

  it('a stream whose address does not look like one is not asked of yt-dlp at all', async () => {
    const transport = leanTransport();
    const both = linkResolver({
      look: async (link, { signal }) =>
        await lookAtLink({ transport, link, signal, clock: systemClock }),
      pages: async () => {
        throw new Error('asked');
      },
      now: () => 0,
    });
    const found = await both(new URL('/stream?id=1', site.url), wishes());
    expect([found.kind, found.url.search, found.resolver]).toEqual(['hls', '?id=1', undefined]);
    await expect(both(new URL('/watch', site.url), wishes())).rejects.toThrow('asked');
    transport.close();
  });
});
