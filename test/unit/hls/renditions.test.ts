import { describe, expect, it } from 'vitest';
import type { Rendition, Variant } from '../../../src/hls/playlist/model.ts';
import { chooseRenditions, type RenditionWishes } from '../../../src/hls/source/renditions.ts';

const rendition = (kind: Rendition['kind'], name: string, rest: Partial<Rendition> = {}) => ({
  kind,
  url: new URL(`http://origin.test/${kind}/${encodeURIComponent(name)}`),
  name,
  isDefault: false,
  isForced: false,
  ...rest,
});

const variant: Variant = {
  url: new URL('http://origin.test/video'),
  bandwidth: 1,
  audioOnly: false,
  mirrors: [],
  renditions: [
    rendition('audio', 'English', { language: 'eng' }),
    rendition('audio', 'Português', { language: 'pt-BR', isDefault: true }),
    rendition('audio', 'English, described', { language: 'eng' }),
    rendition('audio', '実況'),
    rendition('subtitles', 'Deutsch', { language: 'de' }),
    rendition('subtitles', 'Deutsch (forced)', { language: 'de', isForced: true }),
  ],
};

const tracks = (wishes: RenditionWishes, of = variant) =>
  chooseRenditions(of, wishes).map(({ track }) => track);

const audio = (...wishes: string[]) => tracks({ audio: wishes, subtitles: ['none'] });

describe('choosing renditions', () => {
  it('takes the preferred sound and all subtitles when nobody wishes anything', () => {
    expect(tracks({})).toEqual(['audio-pt-br', 'subtitles-de', 'subtitles-de-2']);
  });

  it('calls a track the same whatever else is chosen', () => {
    expect(audio('all')).toEqual(['audio-eng', 'audio-pt-br', 'audio-eng-2', 'audio-und']);
    expect(audio('English, described')).toEqual(['audio-eng-2']);
  });

  it.each([
    ['en', ['audio-eng', 'audio-eng-2']],
    ['EN', ['audio-eng', 'audio-eng-2']],
    ['pt', ['audio-pt-br']],
    ['por', ['audio-pt-br']],
    ['português', ['audio-pt-br']],
    ['実況', ['audio-und']],
  ])('understands %s', (wish, expected) => {
    expect(audio(wish)).toEqual(expected);
  });

  it('takes each rendition once, in the order of the playlist', () => {
    expect(audio('pt', 'en', 'default')).toEqual(['audio-eng', 'audio-pt-br', 'audio-eng-2']);
  });

  it('takes the first sound where none is preferred, but none beside sound in the segments', () => {
    const renditions = variant.renditions.filter(({ isDefault }) => !isDefault);
    expect(tracks({ subtitles: ['none'] }, { ...variant, renditions })).toEqual(['audio-eng']);
    const inside = { ...variant, renditions, hasOwnAudio: true };
    expect(tracks({ subtitles: ['none'] }, inside)).toEqual([]);
  });

  it('says what there is when a language is not', () => {
    expect(() => audio('fi')).toThrow('pt-BR (Português)');
    expect(() => tracks({ subtitles: ['fr'] })).toThrow('de (Deutsch)');
    expect(() => tracks({ audio: ['en'] }, { ...variant, renditions: [] })).toThrow('none');
  });

  it('needs nothing where there is nothing', () => {
    expect(tracks({}, { ...variant, renditions: [] })).toEqual([]);
  });
});
