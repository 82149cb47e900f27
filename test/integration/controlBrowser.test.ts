import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WebRtc } from '../../src/api/realtime/rtcPeer.ts';
import { OWN } from '../support/api/memoryParts.ts';
import { type OpenBrowser, openBrowser, whyNoBrowser } from '../support/browser.ts';
import { type RealtimeService, realtimeService } from '../support/realtime/realtimeService.ts';

const missing = await whyNoBrowser();
const withBrowser = missing === undefined ? test : test.skip;
const named = (title: string) => (missing === undefined ? title : `${title} [skipped: ${missing}]`);

let open: OpenBrowser | undefined;
let pages: Server | undefined;
let origin = '';
let service: RealtimeService | undefined;

beforeAll(async () => {
  if (missing !== undefined) return;
  pages = createServer((_, response) =>
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>dashboard</title>'),
  ).listen(0, '127.0.0.1');
  await once(pages, 'listening');
  origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  service = await realtimeService({ door: { origins: [origin] } });
  open = await openBrowser();
});

afterAll(async () => {
  await open?.close();
  await service?.close();
  pages?.close();
});

/** A page of a dashboard of another origin, with a key, a job, and what it noted of it. */
async function dashboard() {
  if (!open || !service) throw new Error('there is no browser');
  const page = await open.browser.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  await page.goto(origin);
  const { authorization } = await service.bearer(OWN, ['jobs.read', 'jobs.kill']);
  const job = service.job();
  return { page, faults, job, authorization, url: service.url, jobs: service.jobs };
}

/** Begins to listen to the job by `EventSource`; what is heard is in `heard`. */
const listen = (page: Page, given: { url: string; authorization: string; job: string }) =>
  page.evaluate(async ({ url, authorization, job }) => {
    const answer = await fetch(`${url}/tickets`, { method: 'POST', headers: { authorization } });
    const { ticket } = (await answer.json()) as { readonly ticket: string };
    const source = new EventSource(`${url}/jobs/${job}/events?ticket=${ticket}`);
    const heard = new Promise((resolve) => {
      source.addEventListener('job.moved', (event) => {
        const { data, lastEventId } = event as MessageEvent;
        source.close();
        resolve({ ...JSON.parse(data), lastEventId });
      });
    });
    Object.assign(globalThis, { heard });
    await new Promise((resolve, reject) => {
      source.onopen = resolve;
      source.onerror = reject;
    });
  }, given);

const heard = (page: Page) => page.evaluate('heard');

withBrowser(named('a page hears by EventSource that it has killed a job by REST'), async () => {
  const { page, faults, job, authorization, url, jobs } = await dashboard();
  await listen(page, { url, authorization, job });
  const status = await page.evaluate(
    async ({ url, authorization, job }) =>
      (await fetch(`${url}/jobs/${job}/kill`, { method: 'POST', headers: { authorization } }))
        .status,
    { url, authorization, job },
  );
  expect(status).toBe(202);
  expect(await heard(page)).toMatchObject({
    type: 'job.moved',
    jobId: job,
    lastEventId: expect.stringMatching(/^\d+-\d+$/),
  });
  expect(jobs.get(job)?.state).toBe('cancelled');
  expect(faults).toEqual([]);
  await page.close();
});

withBrowser(named('a page kills a job by a WebSocket that it opens with a ticket'), async () => {
  const { page, faults, job, authorization, url, jobs } = await dashboard();
  await listen(page, { url, authorization, job });
  const answer = await page.evaluate(
    async ({ url, authorization, job }) => {
      const asked = await fetch(`${url}/tickets`, { method: 'POST', headers: { authorization } });
      const { ticket } = (await asked.json()) as { readonly ticket: string };
      const socket = new WebSocket(`${url.replace('http', 'ws')}/control?ticket=${ticket}`);
      await new Promise((resolve, reject) => {
        socket.onopen = resolve;
        socket.onerror = reject;
      });
      const answered = new Promise<string>((resolve) => {
        socket.onmessage = ({ data }) => resolve(data);
      });
      socket.send(JSON.stringify({ v: 1, id: 'k', type: 'kill', jobId: job }));
      return JSON.parse(await answered);
    },
    { url, authorization, job },
  );
  expect(answer).toMatchObject({ id: 'k', type: 'ack', job: { id: job, state: 'cancelled' } });
  expect(await heard(page)).toMatchObject({ type: 'job.moved', jobId: job });
  expect(jobs.get(job)?.state).toBe('cancelled');
  expect(faults).toEqual([]);
  await page.close();
});

withBrowser(
  named('a page kills a job by a WebRTC data channel, and ends the session'),
  async () => {
    const { page, faults, job, authorization, url, jobs } = await dashboard();
    await listen(page, { url, authorization, job });
    const told = await page.evaluate(
      async ({ url, authorization, job }) => {
        // The browser's own; the library's has the same members.
        const { RTCPeerConnection: Peer } = globalThis as unknown as WebRtc;
        const peer = new Peer({ iceServers: [] });
        const channel = peer.createDataChannel('control');
        await peer.setLocalDescription(await peer.createOffer());
        const answer = await fetch(`${url}/rtc`, {
          method: 'POST',
          headers: { authorization, 'content-type': 'application/sdp' },
          body: peer.localDescription?.sdp ?? '',
        });
        await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
        await new Promise((resolve) => {
          channel.onopen = () => resolve(undefined);
        });
        const answered = new Promise<string>((resolve) => {
          channel.onmessage = ({ data }) => resolve(String(data));
        });
        channel.send(JSON.stringify({ v: 1, id: 'k', type: 'kill', jobId: job }));
        const message = JSON.parse(await answered);
        const closed = new Promise((resolve) => {
          channel.onclose = () => resolve(undefined);
        });
        const session = new URL(answer.headers.get('location') ?? '', url);
        const end = await fetch(session, { method: 'DELETE', headers: { authorization } });
        void peer.close();
        await closed;
        return { status: answer.status, message, end: end.status };
      },
      { url, authorization, job },
    );
    expect(told).toMatchObject({
      status: 201,
      message: { id: 'k', type: 'ack', job: { id: job, state: 'cancelled' } },
      end: 204,
    });
    expect(await heard(page)).toMatchObject({ type: 'job.moved', jobId: job });
    expect(jobs.get(job)?.state).toBe('cancelled');
    expect(service?.realtime.rtc.size).toBe(0);
    expect(faults).toEqual([]);
    await page.close();
  },
);
