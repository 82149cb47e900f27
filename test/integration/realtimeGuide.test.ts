import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { OWN } from '../support/api/memoryParts.ts';
import { type OpenBrowser, openBrowser, whyNoBrowser } from '../support/browser.ts';
import { type RealtimeService, realtimeService } from '../support/realtime/realtimeService.ts';

const ROOT = join(import.meta.dirname, '../..');
const guide = await readFile(join(ROOT, 'docs/guides/realtime.md'), 'utf8');
const missing = await whyNoBrowser();
const withBrowser = missing === undefined ? test : test.skip;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

/** The blocks of a language that have this text, as they stand in the guide. */
function example(language: string, part: string): string {
  const blocks = [...guide.matchAll(/```(\w+)\n([\s\S]*?)```/g)].filter(
    ([, its]) => its === language,
  );
  const found = blocks.map(([, , text = '']) => text).filter((text) => text.includes(part));
  expect(found, `one example in ${language} with ${part}`).toHaveLength(1);
  return found[0] ?? '';
}

async function setUp() {
  const service: RealtimeService = await realtimeService();
  cleanups.push(service.close);
  const { authorization } = await service.bearer(OWN, ['jobs.read', 'jobs.kill']);
  const job = service.job();
  const KEY = authorization.replace('Bearer ', '');
  return { service, job, env: { KENNEL: service.origin, KEY, JOB: job } };
}

/** Runs it, and resolves with what it printed by the time that it ended or had printed `until`. */
async function run(
  [program, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
  until?: string,
): Promise<string> {
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  for await (const text of child.stdout.setEncoding('utf8')) {
    printed += text;
    if (until !== undefined && printed.includes(until)) child.kill();
  }
  return printed;
}

test('the examples with curl listen, and kill', async () => {
  const { service, job, env } = await setUp();
  // In the place of the shell, so that it is curl that is told to end.
  const listen = run(['bash', '-c', `exec ${example('bash', 'curl -sN')}`], env, 'cancelled');
  while (service.realtime.streams.listeners === 0) await new Promise((done) => setTimeout(done, 5));
  const killed = await run(['bash', '-c', example('bash', '/kill')], env);
  expect(JSON.parse(killed)).toMatchObject({ id: job, state: 'cancelled' });
  const heard = await listen;
  expect(heard).toMatch(/^retry: 2000\nid: \d+-\d+\n\n/);
  expect(heard).toMatch(/\nid: \d+-\d+\nevent: job.moved\ndata: \{.*"to":"cancelled"/);
});

test('the example with ws listens and kills', async () => {
  const { job, service, env } = await setUp();
  const directory = await mkdtemp(join(tmpdir(), 'kennel-guide-'));
  cleanups.push(() => rm(directory, { recursive: true, force: true }));
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  const file = join(directory, 'example.mjs');
  await writeFile(file, example('js', "import { WebSocket } from 'ws'"));
  const printed = (await run([process.execPath, file], env)).trim().split('\n');
  expect(printed.toSorted()).toEqual(['kill ack', 'listen ack', 'listen event']);
  expect(service.jobs.get(job)?.state).toBe('cancelled');
});

withBrowser(
  `the examples for pages open a WebSocket with a ticket and kill by WebRTC${missing === undefined ? '' : ` [skipped: ${missing}]`}`,
  async () => {
    const { job, service, env } = await setUp();
    const open: OpenBrowser = await openBrowser();
    cleanups.push(open.close);
    const page = await open.browser.newPage();
    // A page of the service's own origin.
    await page.goto(`${service.origin}/api/v1/docs`);
    const inPage = (text: string, then: string) =>
      page.evaluate(
        `(async ({ KENNEL, KEY, JOB }) => { ${text}; ${then} })(${JSON.stringify(env)})`,
      );
    const opened = await inPage(
      example('js', 'control?ticket='),
      'return await new Promise((told) => { socket.onopen = () => told("open"); socket.onerror = () => told("failed"); });',
    );
    expect(opened).toBe('open');
    const answered = await inPage(
      example('js', 'RTCPeerConnection'),
      'return await new Promise((told) => { channel.onmessage = ({ data }) => told(JSON.parse(data)); });',
    );
    expect(answered).toMatchObject({
      id: 'kill',
      type: 'ack',
      job: { id: job, state: 'cancelled' },
    });
  },
);
