import { expect, it } from 'vitest';
import type { LinkFormat, LinkKind, ResolvedLink } from '../../../src/intake/link.ts';
import { programSource, relayTarget } from '../../../src/programs/programOrder.ts';

const link = (kind: LinkKind, url: string, formats: readonly LinkFormat[] = []): ResolvedLink => ({
  ...{ kind, url: new URL(url), headers: {}, formats },
});

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

it('tells a codec that is the same whatever is taken, and none otherwise', () => {
  const format = (videoCodec: string): LinkFormat => ({ id: '1', protocol: 'https', videoCodec });
  const source = (...codecs: string[]) =>
    programSource(link('page', 'https://host/', codecs.map(format))).videoCodec;
  expect(source('avc1.64001f', 'avc1.4d401f', 'none')).toBe('avc1.4d401f');
  expect(source('avc1.64001f', 'vp9')).toBe(undefined);
  expect(source()).toBe(undefined);
});
