import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get as getPlain } from 'node:http';
import { get as getTls } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TEST_CERTIFICATE } from '../../unit/hls/transportCertificate.ts';
import type { OriginAddress, OriginOrder, Served } from './originProtocol.ts';

const ORIGIN = new URL('./origin.ts', import.meta.url);
/** Looks within this time share one answer, milliseconds. */
const FRESH_MS = 300;

export interface DensityOrigin {
  readonly pid: number;
  readonly streams: number;
  /** PEM file of whoever vouches for the origin; undefined over plain HTTP. */
  readonly certificateFile: string | undefined;
  /** One recorder's own address of a stream: it tells who fetched what. */
  url(recorder: string, stream: number): string;
  served(recorder: string): Promise<Served>;
  stop(): Promise<void>;
}

const NOTHING: Served = { bytes: 0, segments: 0, streams: 0, missing: 0, again: 0 };

/** Starts the origin in a process of its own, whose cost is nobody's. Its streams begin at once, with a full window. */
export async function densityOrigin(order: OriginOrder): Promise<DensityOrigin> {
  const directory = mkdtempSync(join(tmpdir(), 'kennel-density-origin-'));
  const certificateFile = join(directory, 'certificate.pem');
  writeFileSync(certificateFile, TEST_CERTIFICATE);
  const child = spawn(process.execPath, [ORIGIN.pathname, JSON.stringify(order)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  // It is our own child that says it.
  const { port } = JSON.parse(String(line)) as OriginAddress;
  const base = `${order.tls ? 'https' : 'http'}://localhost:${port}`;
  let asked = { atMs: Number.NEGATIVE_INFINITY, answer: servedNow(base) };
  asked.answer.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    streams: order.streams,
    certificateFile: order.tls ? certificateFile : undefined,
    url: (recorder, stream) => `${base}/${recorder}/${stream}/index.m3u8`,
    served: async (recorder) => {
      if (performance.now() - asked.atMs > FRESH_MS)
        asked = { atMs: performance.now(), answer: servedNow(base) };
      return (await asked.answer)[recorder] ?? NOTHING;
    },
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function servedNow(base: string): Promise<Record<string, Served>> {
  const isTls = base.startsWith('https');
  const request = isTls
    ? getTls(`${base}/served`, { ca: TEST_CERTIFICATE })
    : getPlain(`${base}/served`);
  const [response] = await once(request, 'response');
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += piece;
  return JSON.parse(text);
}
