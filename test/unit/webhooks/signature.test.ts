import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import {
  changedSecrets,
  newWebhookSecret,
  signatureHeaders,
  signingSecrets,
  webhookSecret,
} from '../../../src/webhooks/signature.ts';

const message = { id: '0190-1', body: '{"type":"job.moved","data":{"ü":"€"}}' };

test('the reference library takes what is signed, and nothing that was changed', () => {
  const secret = newWebhookSecret();
  const headers = signatureHeaders(message, [secret], Date.now());
  const library = new Webhook(secret);
  expect(library.verify(message.body, headers)).toEqual(JSON.parse(message.body));
  expect(() => library.verify(`${message.body} `, headers)).toThrow();
  expect(() => library.verify(message.body, { ...headers, 'webhook-id': '0190-2' })).toThrow();
  expect(() => new Webhook(newWebhookSecret()).verify(message.body, headers)).toThrow();
});

test('the signature is byte for byte that of the reference library', () => {
  const secret = newWebhookSecret();
  const now = 1_700_000_000_999;
  const theirs = new Webhook(secret).sign(message.id, new Date(now), message.body);
  expect(signatureHeaders(message, [secret], now)['webhook-signature']).toBe(theirs);
});

test('for a day after a change both secrets sign, the new one first; after that the new one alone', () => {
  const [old, young] = [newWebhookSecret(), newWebhookSecret()];
  const now = Date.now();
  const changed = changedSecrets([old, newWebhookSecret()], young, now);
  expect(changed.secrets).toEqual([young, old]);
  const headers = signatureHeaders(message, signingSecrets(changed, now), now);
  for (const secret of [old, young]) {
    expect(new Webhook(secret).verify(message.body, headers)).toBeTruthy();
  }
  const first = signatureHeaders(message, [young], now)['webhook-signature'];
  expect(headers['webhook-signature'].split(' ')[0]).toBe(first);
  expect(signingSecrets(changed, now + 24 * 3_600_000)).toEqual([young]);
  expect(signingSecrets({ secrets: [old] }, now)).toEqual([old]);
});

test('secrets are taken with their prefix and without, when they are long enough and no other letters are in them', () => {
  const secret = newWebhookSecret();
  expect(webhookSecret(secret)).toBe(secret);
  expect(webhookSecret(secret.slice('whsec_'.length))).toBe(secret);
  for (const wrong of [
    '',
    'whsec_',
    'whsec_c2hvcnQ=',
    'a password, whatever it may be good for',
    `${secret}!`,
  ]) {
    expect(() => webhookSecret(wrong)).toThrow(/whsec_/);
  }
});
