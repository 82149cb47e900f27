import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Scenario } from '../bench/loss/scenario.ts';
import { setStage } from '../bench/loss/stage.ts';
import { keptPromise, verdictOf } from '../bench/loss/verdict.ts';
import { loadSet } from '../support/origin/mediaSet.ts';
import { startOrigin } from '../support/origin/origin.ts';
import { ffmpegPath, whyMissing } from '../support/tools.ts';

const ffmpeg = await ffmpegPath();
const reason = await whyMissing('ffmpeg');

describe.skipIf(ffmpeg === undefined)(
  `the loss bench judges${reason ? ` (did not run: ${reason})` : ''}`,
  () => {
    /** A recorder that has heard the first playlist and leaves a file made of these segments. */
    async function setup(main: Scenario['streams']['main'], positions: readonly number[]) {
      let now = 0;
      const origin = await startOrigin({ streams: {}, now: () => now });
      const directory = await mkdtemp(join(tmpdir(), 'kennel-verdict-'));
      onTestFinished(async () => {
        await origin.stop();
        await rm(directory, { recursive: true });
      });
      const scenario: Scenario = {
        name: 'drill',
        class: 'segment',
        what: 'a drill',
        streams: { main: { endAfter: 10, ...main } },
      };
      const stage = await setStage(origin, scenario, { recorder: 'x', hasFallback: false });
      await fetch(stage.url);
      now = 20_000;
      await fetch(stage.url);
      const { bodies } = await loadSet('ts');
      const file = join(directory, 'out.ts');
      const parts = positions.map((position) => bodies[position] ?? Buffer.alloc(0));
      const judge = async (exitCode: number, body: Uint8Array = Buffer.concat(parts)) => {
        await writeFile(file, body);
        const ending = { exitCode, hung: false, files: [file], said: '' };
        return await verdictOf(stage, ending, ffmpeg ?? '');
      };
      return { judge, bodies };
    }

    const all = Array.from({ length: 10 }, (_, index) => index);

    test('a whole recording that says so', async () => {
      const { judge } = await setup({}, all);
      const verdict = await judge(0);
      expect(verdict).toMatchObject({ lost: [], duplicated: [], torn: [], truth: 'true' });
      expect(keptPromise(verdict)).toBe(true);
      expect((await judge(1)).truth).toBe('false alarm');
    });

    test('what is missing, from the first recorded on, and what was left at the start', async () => {
      const { judge } = await setup({}, [2, 3, 4, 7, 8, 9]);
      const verdict = await judge(0);
      expect(verdict).toMatchObject({ lost: [5, 6], skipped: [0, 1], truth: 'lied' });
      expect((await judge(3)).truth).toBe('true');
      expect(keptPromise(verdict)).toBe(false);
    });

    test('what nobody could have had apart from it, but not silence about it', async () => {
      const gap = { on: 'segment', index: 5, do: 'status', status: 404 } as const;
      const { judge } = await setup({ faults: [gap] }, [0, 1, 2, 3, 4, 6, 7, 8, 9]);
      expect(await judge(0)).toMatchObject({ lost: [], unavoidable: [5], truth: 'lied' });
      expect(await judge(3)).toMatchObject({ lost: [], unavoidable: [5], truth: 'true' });
    });

    test('what is there twice, and what is there in part', async () => {
      const { judge, bodies } = await setup({}, all);
      const half = (bodies[4] ?? Buffer.alloc(0)).subarray(0, 188 * 50);
      const body = Buffer.concat([...bodies.slice(0, 4), half, ...bodies.slice(3, 10)]);
      expect((await judge(0, body)).duplicated).toContain(3);
      const torn = Buffer.concat([...bodies.slice(0, 4), half, ...bodies.slice(5, 10)]);
      expect((await judge(0, torn)).torn).toEqual([4]);
    });
  },
);
