import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPackets } from '../../support/oracle/packets.ts';
import { loadSet, setDirectory, setNames } from '../../support/origin/mediaSet.ts';
import { ffmpegPath } from '../../support/tools.ts';

const sha256 = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex');

/** So that the repository stays quick to clone. */
const ALL_SETS_BYTES_MAX = 3_000_000;

test.each(setNames())('the files of set %s are those that its description names', async (name) => {
  const set = await loadSet(name);
  expect(set.bodies.map(sha256)).toEqual(set.segments.map((segment) => segment.sha256));
  expect(set.bodies.map((body) => body.length)).toEqual(set.segments.map(({ bytes }) => bytes));
  if (set.initBody !== undefined) expect(sha256(set.initBody)).toBe(set.init?.sha256);
  const whole = set.container === 'ts' ? 0x47 : undefined;
  for (const body of set.bodies) {
    if (whole !== undefined) expect([body[0], body.length % 188]).toEqual([whole, 0]);
  }
});

test.each(setNames())('no packet of set %s occurs twice', async (name) => {
  const { segments, width, codecs } = await loadSet(name);
  const hashes = segments.flatMap(({ video, audio }) => [...video, ...audio]);
  expect(new Set(hashes).size).toBe(hashes.length);
  for (const { video, audio } of segments) {
    expect(video).toHaveLength(width > 0 ? 25 : 0);
    expect(audio.length > 40).toBe(codecs.includes('mp4a'));
  }
});

test.each(['video', 'audio', 'packed'])(
  'the set that is derived as %s has the packets of its origin',
  async (how) => {
    const ffmpeg = await ffmpegPath();
    const [whole, derived] = [await loadSet('hi'), await loadSet(`hi-${how}`)];
    const only = how === 'video' ? 'video' : 'audio';
    expect(derived.segments.map((one) => one[only])).toEqual(
      whole.segments.map((one) => one[only]),
    );
    if (ffmpeg === undefined) return;
    const packets = await readPackets(ffmpeg, derived.bodies[2] ?? '');
    const { video, audio } = derived.segments[2] ?? {};
    expect(packets).toEqual({ video, audio, errors: [] });
  },
);

test('derived subtitles have one cue for each segment, on the clock of the media', async () => {
  const { bodies } = await loadSet('hi-subtitles');
  expect(bodies.map(String)).toHaveLength(6);
  expect(String(bodies[3])).toBe(
    'WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:133200,LOCAL:00:00:00.000\n\n00:00:03.000 --> 00:00:04.000\nsecond 3\n',
  );
});

test('all sets together stay small', () => {
  const files = setNames().flatMap((name) =>
    readdirSync(setDirectory(name)).map((file) => statSync(join(setDirectory(name), file)).size),
  );
  expect(files.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(ALL_SETS_BYTES_MAX);
});
