import { expect, it } from 'vitest';
import { redaction } from '../../../src/programs/redaction.ts';

it('takes the credentials and the query of every address out of a text', () => {
  const text = 'ERROR: GET https://me:pw@host/a.ts?token=1#x failed, see "rtmp://h/app?k=v"';
  expect(redaction({})(text)).toBe('ERROR: GET https://host/a.ts failed, see "rtmp://h/app"');
});

it('takes headers and cookies out, whole or in part', () => {
  const redact = redaction({
    headers: { Authorization: 'Bearer abcdef123456', Accept: 'a' },
    cookies: '# Netscape HTTP Cookie File\n.host\tTRUE\t/\tFALSE\t0\tsid\ts3cr3t-cookie\r\n',
  });
  expect(redact('sent Authorization: Bearer abcdef123456')).toBe('sent Authorization: ***');
  expect(redact('token abcdef123456, sid=s3cr3t-cookie; a')).toBe('token ***, sid=***; a');
});

it('takes the credentials of a proxy out in every spelling', () => {
  const redact = redaction({
    urls: ['http://someone:p%40ssword@proxy:3128', undefined, 'nonsense'],
  });
  const basic = Buffer.from('someone:p@ssword').toString('base64');
  expect(redact(`Proxy-Authorization: Basic ${basic}`)).toBe('Proxy-Authorization: Basic ***');
  expect(redact('p@ssword p%40ssword someone')).toBe('*** *** ***');
});
