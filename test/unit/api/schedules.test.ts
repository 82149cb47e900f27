import { expect, test } from 'vitest';
import { FOREIGN, OWN } from '../../support/api/memoryParts.ts';
import { tenantWorld } from '../../support/api/tenantWorld.ts';

const WEEKDAYS = {
  name: 'evening news',
  cron: '0 20 * * 1-5',
  timeZone: 'Europe/Berlin',
  windowSeconds: 1_800,
  recording: {
    url: 'https://example.org/live.m3u8?token=SECRET',
    output: 'news/',
    headers: { Authorization: 'SECRET' },
  },
  labels: { show: 'news' },
};

async function setup() {
  const { app, keyOf } = await tenantWorld();
  const own = await keyOf(OWN, ['jobs.read', 'jobs.write']);
  const foreign = await keyOf(FOREIGN, ['jobs.read', 'jobs.write']);
  const ask = async (
    method: string,
    path: string,
    { body, key = own }: { body?: unknown; key?: string } = {},
  ) => {
    const answer = await app.request(`http://localhost/api/v1/schedules${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, text, said: text === '' ? undefined : JSON.parse(text) };
  };
  return { ask, foreign };
}

test('a schedule is made, shown without its secrets, changed and removed', async () => {
  const { ask } = await setup();
  const made = await ask('POST', '', { body: WEEKDAYS });
  expect(made.status).toBe(201);
  expect(made.text).not.toContain('SECRET');
  expect(made.said).toMatchObject({
    name: 'evening news',
    windowSeconds: 1_800,
    enabled: true,
    labels: { show: 'news' },
    spec: { output: `/var/lib/kennel/output/${OWN}/news/` },
  });
  const path = `/${made.said.id}`;
  const changed = await ask('PATCH', path, { body: { windowSeconds: 600, enabled: false } });
  expect(changed.said).toMatchObject({ windowSeconds: 600, enabled: false, cron: WEEKDAYS.cron });
  expect(changed.said).not.toHaveProperty('nextAt');
  expect((await ask('DELETE', path)).status).toBe(204);
  expect((await ask('GET', path)).status).toBe(404);
});

test('the next windows are told in the time zone of the schedule', async () => {
  const { ask } = await setup();
  const { said } = await ask('POST', '', { body: WEEKDAYS });
  const { said: next } = await ask('GET', `/${said.id}/windows?limit=8`);
  expect(next.windows).toHaveLength(8);
  for (const { startAt, endAt } of next.windows) {
    const berlin = new Date(startAt).toLocaleTimeString('de-DE', { timeZone: 'Europe/Berlin' });
    expect(berlin).toBe('20:00:00');
    expect(Date.parse(endAt) - Date.parse(startAt)).toBe(1_800_000);
  }
});

test.each([
  { cron: 'never' },
  { timeZone: 'Mars/Olympus' },
  { windowSeconds: 7 * 24 * 3_600 },
  { recording: { url: 'https://example.org/live.m3u8', output: 'one.mp4' } },
])('%o is refused with a sentence that says why', async (wrong) => {
  const { ask } = await setup();
  const answer = await ask('POST', '', { body: { ...WEEKDAYS, ...wrong } });
  expect(answer.status).toBe(400);
  expect(answer.said.error.message.length).toBeGreaterThan(20);
});

test("somebody else's schedule is not there", async () => {
  const { ask, foreign } = await setup();
  const { said } = await ask('POST', '', { body: WEEKDAYS });
  expect((await ask('GET', `/${said.id}`, { key: foreign })).status).toBe(404);
  expect((await ask('DELETE', `/${said.id}`, { key: foreign })).status).toBe(404);
  expect((await ask('GET', '', { key: foreign })).said.schedules).toEqual([]);
});
