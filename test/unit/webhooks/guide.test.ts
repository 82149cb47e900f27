import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { newWebhookSecret, signatureHeaders } from '../../../src/webhooks/signature.ts';
import { webhooksDocuments } from '../../docs/webhooks.ts';

const GUIDE = join(import.meta.dirname, '../../../docs/guides/webhooks.md');

test('what the guide says of types is what the schemas say', () => {
  for (const { file, text } of webhooksDocuments()) expect(readFileSync(file, 'utf8')).toBe(text);
});

test('the code of the guide takes what Kennel signs, with the old secret as with the new one, and nothing else', async () => {
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync(GUIDE, 'utf8')) ?? [];
  const file = join(tmpdir(), `kennel-guide-${process.pid}.mjs`);
  writeFileSync(file, code);
  try {
    const { verify } = await import(pathToFileURL(file).href);
    const [secret, young] = [newWebhookSecret(), newWebhookSecret()];
    const message = { id: '0190', body: '{"type":"webhook.ping"}' };
    const now = 1_700_000_000_000;
    const headers = signatureHeaders(message, [young, secret], now);
    for (const one of [secret, young]) {
      expect(verify(one, headers, message.body, now)).toEqual({ type: 'webhook.ping' });
    }
    expect(() => verify(newWebhookSecret(), headers, message.body, now)).toThrow(/signed/);
    expect(() => verify(secret, headers, `${message.body} `, now)).toThrow(/signed/);
    expect(() => verify(secret, headers, message.body, now + 301_000)).toThrow(/old/);
  } finally {
    rmSync(file);
  }
});
