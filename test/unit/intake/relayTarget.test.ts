import { expect, it } from 'vitest';
import type { LinkKind } from '../../../src/intake/link.ts';
import { relayTarget } from '../../../src/intake/relayTarget.ts';

const link = (kind: LinkKind, url: string) => ({ kind, url: new URL(url) });

it('relays what no HTTP proxy carries, to where its address says', () => {
  const targets = {
    'rtmp://host/app': { protocol: 'tcp', host: 'host', port: 1935 },
    'rtmps://host/app': { protocol: 'tcp', host: 'host', port: 443 },
    'rtmp://host:1940/app': { protocol: 'tcp', host: 'host', port: 1940 },
  };
  for (const [url, target] of Object.entries(targets)) {
    expect(relayTarget(link('rtmp', url))).toEqual(target);
  }
  const rtsp = { protocol: 'tcp', host: '2001:db8::1', port: 554 };
  expect(relayTarget(link('rtsp', 'rtsp://[2001:db8::1]/x'))).toEqual(rtsp);
  const srt = { protocol: 'udp', host: 'host', port: 9000 };
  expect(relayTarget(link('srt', 'srt://host:9000?streamid=x'))).toEqual(srt);
  expect(relayTarget(link('dash', 'https://host/a.mpd'))).toBe(undefined);
});

it('asks for the port where a protocol has none of its own', () => {
  expect(() => relayTarget(link('srt', 'srt://host'))).toThrow('must say a host and a port');
});
