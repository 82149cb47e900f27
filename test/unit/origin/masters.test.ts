import { expect, onTestFinished, test } from 'vitest';
import { startOrigin } from '../../support/origin/origin.ts';
import { rawGet } from './rawGet.ts';

test('a master names variants with groups, redundant ones, renditions and variables', async () => {
  const origin = await startOrigin({
    doors: { elsewhere: {} },
    streams: {
      picture: { set: 'ts-video', clock: 'show', startsOnRequest: true },
      sound: { set: 'ts-packed', clock: 'show', startsOnRequest: true },
      words: { set: 'ts-subtitles', clock: 'show', startsOnRequest: true },
    },
    masters: {
      show: {
        variants: [
          { stream: 'picture', audio: 'aac', subtitles: 'subs' },
          { stream: 'picture', door: 'elsewhere', audio: 'aac' },
        ],
        renditions: [
          { kind: 'audio', group: 'aac', stream: 'sound', name: 'English', default: true },
          { kind: 'subtitles', group: 'subs', stream: 'words', name: 'Deutsch', language: 'de' },
        ],
        define: { folder: 'media' },
      },
    },
  });
  onTestFinished(() => origin.stop());
  const text = (await rawGet(origin.masterUrlOf('show'))).body.toString();
  expect(text).toContain('#EXT-X-DEFINE:NAME="folder",VALUE="media"\n');
  expect(text).toContain(
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="English",DEFAULT=YES,AUTOSELECT=YES,URI="live/sound/index.m3u8"\n',
  );
  expect(text).toContain('TYPE=SUBTITLES,GROUP-ID="subs",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO');
  expect(text).toMatch(
    /CODECS="avc1\.4d400c,mp4a\.40\.2",AUDIO="aac",SUBTITLES="subs"\nlive\/picture\/index\.m3u8\n/,
  );
  const second = `${origin.door('elsewhere').url}/live/picture/index.m3u8`;
  expect(text).toContain(`AUDIO="aac"\n${second}\n`);
  expect((await rawGet(second)).status).toBe(200);
  const types = ['sound/1.aac', 'words/1.vtt'].map(async (file) => {
    const { status, headers } = await rawGet(`${origin.url}/live/${file}`);
    return [status, headers['content-type']];
  });
  expect(await Promise.all(types)).toEqual([
    [200, 'audio/aac'],
    [200, 'text/vtt'],
  ]);
});

test('streams of one clock begin together, with the first request for any of them', async () => {
  let now = 0;
  const show = { clock: 'show', startsOnRequest: true };
  const origin = await startOrigin({ now: () => now, streams: { one: show, other: show } });
  onTestFinished(() => origin.stop());
  now = 60_000;
  expect(origin.stream('other').head).toBe(5);
  await rawGet(origin.playlistUrl('one'));
  now += 2_000;
  expect([origin.stream('one').head, origin.stream('other').head]).toEqual([7, 7]);
});
