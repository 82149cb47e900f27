import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { deprecated } from '../../../src/api/middleware/deprecated.ts';

test('a route that will go says since when, until when, and where to read on', async () => {
  const app = new Hono().get(
    '/old',
    deprecated({
      since: Date.UTC(2026, 10, 21),
      sunset: Date.UTC(2027, 4, 1),
      link: 'https://kennel.example/migrate',
    }),
    (c) => c.json({}),
  );
  const { headers } = await app.request('/old');
  expect(headers.get('deprecation')).toBe('@1795219200');
  expect(headers.get('sunset')).toBe('Sat, 01 May 2027 00:00:00 GMT');
  expect(headers.get('link')).toBe('<https://kennel.example/migrate>; rel="deprecation"');
});
