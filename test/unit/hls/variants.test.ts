import { describe, expect, it } from 'vitest';
import type { Rendition, Variant } from '../../../src/hls/playlist/model.ts';
import {
  chooseVariant,
  describeVariant,
  recordedVariant,
  sameVariants,
  soundVariants,
} from '../../../src/hls/source/variants.ts';

const variant = (path: string, rest: Partial<Variant>): Variant => ({
  url: new URL(path, 'http://origin.test/'),
  bandwidth: 0,
  audioOnly: false,
  renditions: [],
  mirrors: [],
  ...rest,
});

const sound: Rendition = {
  kind: 'audio',
  url: new URL('http://origin.test/sound'),
  name: 'sound',
  isDefault: true,
  isForced: false,
};

const ladder = [
  variant('audio', { bandwidth: 128_000, audioOnly: true }),
  variant('720p60', { bandwidth: 4_500_000, width: 1280, height: 720, frameRate: 59.94 }),
  variant('1080p60', {
    bandwidth: 8_000_000,
    width: 1920,
    height: 1080,
    frameRate: 60,
    name: 'source',
  }),
  variant('360p', { bandwidth: 800_000, width: 640, height: 360, frameRate: 30 }),
  variant('720p', { bandwidth: 2_500_000, width: 1280, height: 720, frameRate: 30 }),
];

const chosen = (wishes: readonly string[], variants: readonly Variant[] = ladder) =>
  chooseVariant(variants, wishes).url.pathname.slice(1);

describe('choosing a variant', () => {
  it.each([
    ['best', '1080p60'],
    ['worst', '360p'],
    ['720p', '720p60'],
    ['720p30', '720p'],
    ['720p60', '720p60'],
    ['audio', 'audio'],
    ['Source', '1080p60'],
  ])('takes for %s the variant %s', (wish, expected) => {
    expect(chosen([wish])).toBe(expected);
  });

  it('takes the first wish that the source has', () => {
    expect(chosen(['2160p', '480p', '360p', 'best'])).toBe('360p');
  });

  it('says what there is when nothing fits', () => {
    expect(() => chosen(['2160p'])).toThrow('360p, 720p, 720p60, source');
  });

  it('calls an upright picture by its shorter side', () => {
    expect(chosen(['720p'], [variant('up', { width: 720, height: 1280 })])).toBe('up');
  });

  it('makes no difference between sound in the segments and sound in renditions', () => {
    const mixed = [
      variant('apart', { bandwidth: 9_000_000, height: 1080, renditions: [sound] }),
      variant('whole', { bandwidth: 2_000_000, height: 720 }),
    ];
    expect(chosen(['best'], mixed)).toBe('apart');
    expect(chosen(['720p', 'best'], mixed)).toBe('whole');
  });

  it('takes the only variant as best, even when it is sound alone', () => {
    expect(chosen(['best'], ladder.slice(0, 1))).toBe('audio');
  });

  it('calls a variant of which nothing is known by its bit rate', () => {
    expect(describeVariant(variant('x', { bandwidth: 1_280_000 }))).toBe('1280k');
  });
});

describe('the variant that is recorded already', () => {
  const [, , , , held = variant('none', {})] = ladder;
  const same = (variants: readonly Variant[]) =>
    sameVariants(variants, recordedVariant(held)).map(({ url }) => url.pathname);

  it('is found under another bit rate, the nearest of several', () => {
    const of720 = (path: string, bandwidth: number) =>
      variant(path, { ...held, url: new URL(path, held.url), bandwidth });
    expect(
      same([...ladder.slice(0, 4), of720('near', 2_600_000), of720('far', 1_000_000)]),
    ).toEqual(['/near']);
  });

  it('is not found in one of another size, frame rate or name', () => {
    expect(same(ladder.slice(0, 4))).toEqual([]);
  });
});

describe('where nothing but the sound is wanted', () => {
  const paths = (variants: readonly Variant[]) =>
    soundVariants(variants).map(({ url }) => url.pathname.slice(1));
  const rendition = (path: string, more: Partial<Rendition> = {}): Rendition => ({
    ...sound,
    url: new URL(path, 'http://origin.test/'),
    ...more,
  });

  it('sound with an address of its own is taken, that of the best variant last, and no picture', () => {
    const [low, high] = [rendition('low'), rendition('high')];
    const german = rendition('german', { isDefault: false, language: 'de' });
    const subtitles = rendition('words', { kind: 'subtitles' });
    const found = [
      variant('1080p', { bandwidth: 8e6, renditions: [german, high, subtitles] }),
      variant('360p', { bandwidth: 8e5, renditions: [german, low] }),
    ];
    expect(paths(found)).toEqual(['low', 'high']);
    expect(soundVariants(found)).toEqual(
      ['low', 'high'].map((path) => variant(path, { name: 'sound', audioOnly: true })),
    );
  });

  it('a variant without a picture is taken else', () => {
    expect(paths(ladder)).toEqual(['audio']);
  });

  it('sound that is in the segments of the picture is taken with it', () => {
    const german = rendition('german', { isDefault: false });
    const own = variant('own', { renditions: [german], hasOwnAudio: true });
    expect(paths([own, variant('other', {})])).toEqual(['own', 'other']);
    expect(soundVariants([own])[0]).not.toHaveProperty('hasOwnAudio');
  });
});
