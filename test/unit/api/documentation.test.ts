import { expect, test } from 'vitest';
import { apiApp } from '../../../src/api/app.ts';
import { apiDocument, operationsOf } from '../../support/api/apiDocument.ts';
import { memoryParts } from '../../support/api/memoryParts.ts';

const document = apiDocument();
const operations = operationsOf(document);

test('the document is OpenAPI 3.1, with how keys are sent, and every reference leads somewhere', () => {
  expect(document.openapi).toBe('3.1.0');
  expect(document.components).toHaveProperty('securitySchemes.key.scheme', 'bearer');
  const references = JSON.stringify(document).matchAll(
    /"\$ref":"#\/components\/schemas\/([^"]+)"/g,
  );
  const names = new Set([...references].map(([, name = '']) => name));
  expect(names.size).toBeGreaterThan(5);
  expect([...names].filter((name) => !Object.hasOwn(document.components.schemas, name))).toEqual(
    [],
  );
});

test('every operation has its own id, and declares what may go wrong in both shapes', () => {
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { method, path, responses, 'x-access': access } of operations) {
    const statuses = Object.keys(responses);
    const wanted = access === 'open' ? ['429', '500'] : ['401', '403', '429', '500', '503'];
    expect([method, path, statuses]).toEqual([method, path, expect.arrayContaining(wanted)]);
    for (const status of statuses.filter((one) => Number(one) >= 400))
      expect(Object.keys(responses[status]?.content ?? {})).toEqual([
        'application/json',
        'application/problem+json',
      ]);
  }
});

test('parameters of paths are declared', () => {
  for (const { path, parameters = [] } of operations) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const declared = parameters.filter((one) => one.in === 'path').map(({ name }) => name);
    expect([path, declared.sort()]).toEqual([path, inPath.sort()]);
  }
});

test('the page loads nothing from elsewhere, runs nothing of its own, and everything that it names is there', async () => {
  const app = apiApp(memoryParts().parts);
  const page = await app.request('/api/v1/docs');
  const policy = page.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  const html = await page.text();
  expect(html).not.toMatch(/https?:|<script>| on\w+=/);
  const named = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link = '']) => link);
  expect(named).toHaveLength(4);
  for (const link of [...named, 'openapi.json']) {
    const answer = await app.request(new URL(link, 'http://localhost/api/v1/docs').pathname);
    expect([link, answer.status]).toEqual([link, 200]);
  }
  expect((await app.request('/api/v1/docs/package.json')).status).toBe(404);
  expect((await app.request('/api/v1/docs/..%2fpage.ts')).status).toBe(404);
});
