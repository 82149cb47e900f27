import { describe, expect, it } from 'vitest';
import { type Answer, playlistText, tsSegment } from './streamRecorderOrigin.ts';
import { fasterBy, originFor, recorderSetup, until } from './streamRecorderSetup.ts';

const MASTER = [
  '#EXTM3U',
  '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",DEFAULT=YES,URI="en.m3u8"',
  '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Deutsch",LANGUAGE="de",URI="de.m3u8"',
  '#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360,CODECS="avc1.4d401e,mp4a.40.2",AUDIO="a"',
  'video.m3u8',
  '',
].join('\n');

/** A stream with picture and two languages, each in a playlist of its own. */
async function setup() {
  const live = { first: 0, count: 3, ended: false };
  const broken: Record<string, Answer | undefined> = {};
  /** Other playlists than the usual ones. */
  const lists: Record<string, string | undefined> = {};
  const master = { text: MASTER };
  const origin = await originFor((requested) => {
    if (requested === '/live.m3u8') return master.text;
    const [, name = '', number] = /^\/([a-z]+)(?:-(\d+)\.ts|\.m3u8)$/.exec(requested) ?? [];
    if (broken[name] !== undefined) return broken[name];
    if (number === undefined && lists[name] !== undefined) return lists[name];
    if (number === undefined) return playlistText({ ...live, name: (msn) => `${name}-${msn}.ts` });
    return tsSegment(Number(number) + 1_000 * name.length);
  });
  const parts = await recorderSetup();
  const url = `${origin.url}/live.m3u8`;
  const asked = (path: string) => origin.asked.filter((one) => one === path).length;
  const stored = async () => {
    const { ledger } = await parts.journal();
    return Object.fromEntries(
      ledger.tracks.map((track) => [track, ledger.segments(track).map(({ msn }) => msn)]),
    );
  };
  return { ...parts, live, broken, lists, master, origin, url, asked, stored };
}

describe('a stream whose sound is apart', () => {
  it('is recorded with the sound that it prefers, as tracks of one job', async () => {
    const { record, url, live, stored, journal, asked } = await setup();
    live.ended = true;
    const recorder = record({ url });
    expect(await recorder.exited).toMatchObject({ kind: 'ended', why: 'endlist' });
    expect(await stored()).toEqual({ 'audio-en': [0, 1, 2], main: [0, 1, 2] });
    expect(recorder.progress()).toMatchObject({ advertised: 6, settled: 6 });
    const { ledger } = await journal();
    expect(ledger.source).toMatchObject({
      variant: '360p',
      audio: 'en',
      missing: 'audio-de',
      tracks: [
        { track: 'main', kind: 'main' },
        { track: 'audio-en', kind: 'audio', name: 'English', language: 'en', isDefault: true },
      ],
    });
    expect([asked('/live.m3u8'), asked('/de.m3u8')]).toEqual([1, 0]);
  });

  it('is recorded in every language that was asked for', async () => {
    const { record, url, live, stored } = await setup();
    live.ended = true;
    await record({ url, audio: ['de', 'English'] }).exited;
    expect(Object.keys(await stored())).toEqual(['audio-de', 'audio-en', 'main']);
  });

  it('is recorded without its picture where nothing but the sound is wanted, and gone on with so', async () => {
    const { record, url, live, stored, asked } = await setup();
    const recorder = record({ url, audioOnly: true, quality: ['720p'] });
    await until(() => recorder.progress().settled === 3);
    recorder.kill('test');
    await recorder.exited;
    Object.assign(live, { count: 5, ended: true });
    const again = record({ url, audioOnly: true, quality: ['720p'] });
    expect(await again.exited).toMatchObject({ kind: 'ended', why: 'endlist' });
    expect(await stored()).toEqual({ main: [0, 1, 2, 3, 4] });
    expect([asked('/video.m3u8'), asked('/de.m3u8')]).toEqual([0, 0]);
  });

  it('is refused when a language is not there, with those that are', async () => {
    const { record, url } = await setup();
    const exit = await record({ url, audio: ['fr'] }).exited;
    expect(exit).toMatchObject({ kind: 'failed', why: 'quality.notFound', retryable: false });
    expect(exit.evidence).toMatchObject({ available: ['en (English)', 'de (Deutsch)'] });
  });

  it('goes on without hurt while its sound cannot be fetched, and names what is lost of that', async () => {
    const { record, url, live, broken, stored, journal } = await setup();
    const recorder = record({ url });
    await until(() => recorder.progress().settled === 6);
    broken['en'] = { status: 404 };
    for (const first of [3, 6, 9]) {
      live.first = first;
      await until(async () => (await stored())['main']?.length === first + 3);
    }
    broken['en'] = undefined;
    await until(() => recorder.progress().settled === 24);
    recorder.stop('over');
    expect(await recorder.exited).toMatchObject({ kind: 'stopped', why: 'duration' });
    const { ledger } = await journal();
    expect(ledger.segments('main')).toHaveLength(12);
    expect(ledger.gaps().map(({ track, msn, count, cause }) => [track, msn, count, cause])).toEqual(
      [['audio-en', 3, 6, 'window.slid']],
    );
  });

  it('says at the end that its sound is missing when no playlist of that could ever be read', async () => {
    const { record, url, live, broken } = await setup();
    broken['en'] = { status: 404 };
    live.ended = true;
    const exit = await record({ url }, 1, fasterBy(100)).exited;
    expect(exit).toMatchObject({ why: 'endlist', evidence: { unheard: ['audio-en'] } });
  });

  it('says at the end that its sound went away and did not come back', async () => {
    const { record, url, live, broken, stored, journal } = await setup();
    const recorder = record({ url }, 1, fasterBy(100));
    await until(() => recorder.progress().settled === 6);
    broken['en'] = { status: 404 };
    for (let first = 1; first < 30; first++) {
      live.first = first;
      await until(async () => (await stored())['main']?.length === first + 3);
    }
    recorder.stop('over');
    await recorder.exited;
    expect((await journal()).ledger.ended?.evidence).toMatchObject({ unheard: ['audio-en'] });
  });

  it('says at the end that its sound came late, unless that still listed the beginning', async () => {
    const { record, url, live, broken, lists, stored, journal } = await setup();
    broken['en'] = { status: 404 };
    broken['de'] = { status: 404 };
    const recorder = record({ url, audio: ['all'] }, 1, fasterBy(100));
    for (let first = 0; first < 30; first++) {
      live.first = first;
      await until(async () => (await stored())['main']?.length === first + 3);
    }
    const whole = playlistText({ first: 0, count: 32, name: (msn) => `de-${msn}.ts` });
    lists['de'] = whole.replaceAll(/(?<=EXTINF:|TARGETDURATION:)[\d.]+/g, '100');
    Object.assign(broken, { en: undefined, de: undefined });
    await until(async () => {
      const { 'audio-en': english = [], 'audio-de': german = [] } = await stored();
      return english.length === 3 && german.length === 32;
    });
    recorder.stop('over');
    await recorder.exited;
    expect((await journal()).ledger.ended?.evidence).toMatchObject({ unheard: ['audio-en'] });
  });

  it('is whole when its sound has ended by its own word, and says so of no track', async () => {
    const { record, url, live, broken, stored, journal } = await setup();
    const recorder = record({ url }, 1, fasterBy(100));
    await until(() => recorder.progress().settled === 6);
    broken['en'] = playlistText({ ...live, ended: true, name: (msn) => `en-${msn}.ts` });
    for (let first = 1; first < 30; first++) {
      live.first = first;
      await until(async () => (await stored())['main']?.length === first + 3);
    }
    recorder.stop('over');
    await recorder.exited;
    expect((await journal()).ledger.ended?.evidence).not.toHaveProperty('unheard');
  });

  it('ends with the picture although its sound goes on', async () => {
    const { record, url, live, broken } = await setup();
    const recorder = record({ url }, 1, fasterBy(60));
    await until(() => recorder.progress().settled === 6);
    broken['en'] = playlistText({ ...live, name: (msn) => `en-${msn}.ts` });
    broken['video'] = playlistText({ ...live, ended: true, name: (msn) => `video-${msn}.ts` });
    expect(await recorder.exited).toMatchObject({ kind: 'ended', why: 'endlist' });
  });

  it('gives its sound the time to end as well', async () => {
    const { record, url, live, broken, stored } = await setup();
    const recorder = record({ url });
    await until(() => recorder.progress().settled === 6);
    const late = { ...live, name: (msn: number) => `en-${msn}.ts` };
    broken['en'] = playlistText(late);
    live.ended = true;
    live.count = 4;
    await until(async () => (await stored())['main']?.length === 4);
    delete broken['en'];
    await recorder.exited;
    expect(await stored()).toEqual({ 'audio-en': [0, 1, 2, 3], main: [0, 1, 2, 3] });
  });

  it('has not ended when it is killed after its picture has, and is brought to its end by the next attempt', async () => {
    const { record, url, live, lists, stored, journal } = await setup();
    const first = record({ url });
    await until(() => first.progress().settled === 6);
    lists['en'] = playlistText({ ...live, name: (msn) => `en-${msn}.ts` });
    Object.assign(live, { count: 4, ended: true });
    await until(async () => (await stored())['main']?.length === 4);
    // The picture is over; the sound has ten seconds more, a third of one here.
    first.kill('test');
    expect(await first.exited).toMatchObject({ kind: 'crashed', why: 'test', retryable: true });
    expect((await journal()).ledger.ended).toBeUndefined();
    delete lists['en'];
    expect(await record({ url }, 2).exited).toMatchObject({ kind: 'ended', why: 'endlist' });
    expect(await stored()).toEqual({ 'audio-en': [0, 1, 2, 3], main: [0, 1, 2, 3] });
  });

  it('is continued with all its tracks after a kill', async () => {
    const { record, url, live, stored, journal } = await setup();
    const first = record({ url });
    await until(() => first.progress().settled === 6);
    first.kill('test');
    await first.exited;
    live.first = 2;
    const second = record({ url }, 2);
    await until(() => second.progress().settled === 10);
    second.stop('over');
    await second.exited;
    const all = [0, 1, 2, 3, 4];
    expect(await stored()).toEqual({ 'audio-en': all, main: all });
    const { ledger } = await journal();
    expect([ledger.lost, ledger.duplicates]).toEqual([0, 0]);
  });

  it('is continued with the same sound when two of one language have changed places', async () => {
    const { record, url, live, master, stored, asked } = await setup();
    const spoken = MASTER.replace('"Deutsch",LANGUAGE="de"', '"Commentary",LANGUAGE="en"');
    master.text = spoken;
    const first = record({ url });
    await until(() => first.progress().settled === 6);
    first.kill('test');
    await first.exited;
    live.first = 2;
    const [top, one, other, ...rest] = spoken.split('\n');
    master.text = [top, other, one, ...rest].join('\n');
    const second = record({ url }, 2);
    await until(() => second.progress().settled === 10);
    second.stop('over');
    await second.exited;
    expect((await stored())['audio-en']).toEqual([0, 1, 2, 3, 4]);
    expect(asked('/de.m3u8')).toBe(0);
  });

  it('is recorded in both of two renditions that nothing but their address tells apart', async () => {
    const { record, url, live, master, stored, asked } = await setup();
    master.text = MASTER.replace('"Deutsch",LANGUAGE="de"', '"English",LANGUAGE="en"');
    live.ended = true;
    await record({ url, audio: ['all'] }).exited;
    expect(Object.keys(await stored())).toEqual(['audio-en', 'audio-en-2', 'main']);
    expect([asked('/en.m3u8') > 0, asked('/de.m3u8') > 0]).toEqual([true, true]);
  });

  it('takes its sound from the link that its picture begins with', async () => {
    const { record, url, live, stored } = await setup();
    const dead = await originFor(() => undefined);
    live.ended = true;
    await record({ url: `${dead.url}/live.m3u8`, fallbacks: [url] }).exited;
    expect(await stored()).toEqual({ 'audio-en': [0, 1, 2], main: [0, 1, 2] });
    expect(dead.asked).toEqual(['/live.m3u8']);
  });

  it('is continued without a language that is not there any more', async () => {
    const { record, url, live, master, stored } = await setup();
    const first = record({ url });
    await until(() => first.progress().settled === 6);
    first.kill('test');
    await first.exited;
    live.first = 2;
    master.text = MASTER.replaceAll('en.m3u8', 'fr.m3u8').replaceAll('"en"', '"fr"');
    const second = record({ url }, 2);
    await until(() => second.progress().settled === 8);
    second.stop('over');
    expect(await second.exited).toMatchObject({ kind: 'stopped', why: 'duration' });
    expect(await stored()).toEqual({ 'audio-en': [0, 1, 2], main: [0, 1, 2, 3, 4] });
  });
});
