import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { judge } from '../support/oracle.ts';
import { loadSet } from '../support/origin/mediaSet.ts';
import { ffmpegPath, whyMissing } from '../support/tools.ts';

const ffmpeg = await ffmpegPath();
const reason = await whyMissing('ffmpeg');

describe.skipIf(ffmpeg === undefined)(
  `the oracle${reason ? ` (did not run: ${reason})` : ''}`,
  () => {
    /** Builds files from segments of the set, as a recorder would have left them. */
    async function setup(name = 'ts') {
      if (ffmpeg === undefined) throw new Error('skipped without ffmpeg');
      const set = await loadSet(name);
      const directory = await mkdtemp(join(tmpdir(), 'kennel-oracle-'));
      onTestFinished(() => rm(directory, { recursive: true }));
      const part = (position: number): Uint8Array => {
        const body = set.bodies[position];
        if (body === undefined) throw new Error(`no segment ${position}`);
        return body;
      };
      const raw = async (...parts: Uint8Array[]): Promise<string> => {
        const file = join(directory, `raw${parts.length}.${set.container}`);
        await writeFile(file, Buffer.concat(set.initBody ? [set.initBody, ...parts] : parts));
        return file;
      };
      const mp4 = async (...parts: Uint8Array[]): Promise<string> => {
        const file = join(directory, `finished${parts.length}.mp4`);
        const copy = ['-map', '0', '-c', 'copy', '-bsf:a', 'aac_adtstoasc'];
        await execa(ffmpeg, ['-v', 'error', '-i', await raw(...parts), ...copy, file]);
        return file;
      };
      const ask = (files: string[], range: { from?: number; to?: number } = {}) =>
        judge({ ffmpeg, files, set, ...range });
      return { part, raw, mp4, ask };
    }

    test('finds a whole recording whole, raw and in MP4', async () => {
      const { part, raw, mp4, ask } = await setup();
      const parts = [7, 8, 9].map(part);
      const whole = {
        segments: [7, 8, 9],
        partial: [],
        missing: [],
        duplicated: [],
        unexpected: [],
        unknownPackets: 0,
        outOfOrder: 0,
        decodeErrors: [],
        timeBreaks: [],
      };
      expect(await ask([await raw(...parts)], { from: 7, to: 9 })).toMatchObject(whole);
      expect(await ask([await mp4(...parts)], { from: 7, to: 9 })).toMatchObject(whole);
    });

    test('finds a recording of fragmented MP4 whole', async () => {
      const { part, raw, mp4, ask } = await setup('fmp4');
      const parts = [0, 1].map(part);
      const whole = { segments: [0, 1], unknownPackets: 0, decodeErrors: [] };
      expect(await ask([await raw(...parts)])).toMatchObject(whole);
      expect(await ask([await mp4(...parts)])).toMatchObject(whole);
    });

    test('sees a missing segment, inside and at the ends', async () => {
      const { part, mp4, ask } = await setup();
      const file = await mp4(part(1), part(3));
      const judged = await ask([file], { from: 0, to: 4 });
      expect(judged).toMatchObject({ segments: [1, 3], missing: [0, 2, 4], unknownPackets: 0 });
    });

    test('sees a segment that was recorded twice', async () => {
      const { part, mp4, ask } = await setup();
      const judged = await ask([await mp4(part(0), part(1), part(1), part(2))]);
      expect(judged).toMatchObject({ segments: [0, 1, 2], duplicated: [1], missing: [] });
      expect(judged.outOfOrder).toBeGreaterThan(0);
    });

    test('sees segments in the wrong order', async () => {
      const { part, raw, ask } = await setup();
      const judged = await ask([await raw(part(0), part(2), part(1))]);
      expect(judged).toMatchObject({ segments: [0, 1, 2], duplicated: [] });
      expect(judged.outOfOrder).toBe(2);
    });

    test('sees a torn segment, by its packets and by decoding', async () => {
      const { part, raw, ask } = await setup();
      const body = part(1);
      const half = body.subarray(0, Math.floor(body.length / 2 / 188) * 188);
      const judged = await ask([await raw(part(0), half, part(2))], { from: 0, to: 2 });
      expect(judged.segments).toEqual([0]);
      const torn = judged.partial.find(({ position }) => position === 1);
      expect(torn?.video[0]).toBeGreaterThan(0);
      expect(torn?.video[0]).toBeLessThan(25);
      expect(judged.unknownPackets).toBeGreaterThan(0);
      expect(judged.decodeErrors.length).toBeGreaterThan(0);
    });

    test('sees bytes that were changed', async () => {
      const { part, raw, ask } = await setup();
      const changed = Buffer.from(part(1));
      const at = changed.length >> 1;
      changed.writeUInt8(changed.readUInt8(at) ^ 0xff, at);
      const judged = await ask([await raw(part(0), changed)]);
      expect(judged).toMatchObject({ segments: [0], partial: [{ position: 1 }] });
      expect(judged.unknownPackets).toBe(1);
    });

    test('follows a recording over several files and through the end of the set', async () => {
      const { part, raw, ask } = await setup();
      const files = [await raw(part(58), part(59)), await raw(part(0))];
      expect(await ask(files, { from: 58, to: 0 })).toMatchObject({
        segments: [58, 59, 0],
        missing: [],
        duplicated: [],
        outOfOrder: 0,
      });
    });

    test('does not take one set for another', async () => {
      const { part, raw } = await setup('hi');
      const judged = await judge({
        ffmpeg: ffmpeg ?? '',
        files: [await raw(part(0))],
        set: 'ts',
        audio: false,
      });
      expect(judged).toMatchObject({ segments: [], unknownPackets: 25 });
    });

    test('a file that is no media at all has nothing, and says why', async () => {
      const { raw, ask } = await setup();
      const judged = await ask([await raw(Buffer.from('<html>'))], { from: 0, to: 1 });
      expect(judged).toMatchObject({ segments: [], missing: [0, 1], unknownPackets: 0 });
      expect(judged.decodeErrors.join()).toMatch(/Invalid data/);
    });
  },
);
