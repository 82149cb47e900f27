import { expect, it } from 'vitest';
import type { LinkFormat, LinkKind, ResolvedLink } from '../../../src/intake/link.ts';
import { programSource } from '../../../src/programs/programOrder.ts';

const link = (kind: LinkKind, url: string, formats: readonly LinkFormat[]): ResolvedLink => ({
  ...{ kind, url: new URL(url), headers: {}, formats },
});

it('tells a codec that is the same whatever is taken, and none otherwise', () => {
  const format = (videoCodec: string): LinkFormat => ({ id: '1', protocol: 'https', videoCodec });
  const source = (...codecs: string[]) =>
    programSource(link('page', 'https://host/', codecs.map(format))).videoCodec;
  expect(source('avc1.64001f', 'avc1.4d401f', 'none')).toBe('avc1.4d401f');
  expect(source('avc1.64001f', 'vp9')).toBe(undefined);
  expect(source()).toBe(undefined);
});
