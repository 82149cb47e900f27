import { expect, onTestFinished, test } from 'vitest';
import { type OriginOptions, startOrigin } from '../../support/origin/origin.ts';
import type { StreamOptions } from '../../support/origin/streamOptions.ts';

async function reach(
  options: StreamOptions,
  troubles: NonNullable<NonNullable<OriginOptions['doors']>[string]['troubles']> = [],
) {
  const live = { endAfter: 40, door: 'side', clock: 'show', startsOnRequest: true, ...options };
  const origin = await startOrigin({
    doors: { side: { clock: 'show', troubles } },
    streams: { live },
  });
  onTestFinished(() => origin.stop());
  return origin.reach('live');
}

/** The first of the prefilled segments leaves the playlist after a second: only who comes in time sees it. */
const [first, ...others] = Array.from({ length: 40 }, (_, index) => index);

test('without faults, everything can be fetched', async () => {
  expect(await reach({})).toEqual({ sure: others, lucky: [first], never: [] });
});

test('faults of so many answers, and outages within the window, take nothing away', async () => {
  const faults = [{ on: 'segment', index: 9, do: 'status', times: 5 } as const];
  const { sure } = await reach({ faults }, [{ do: 'refuse', fromMs: 12_000, forMs: 3_000 }]);
  expect(sure).toEqual(others);
});

test('an outage longer than the window takes what came and went meanwhile', async () => {
  const { never, lucky } = await reach({}, [{ do: 'refuse', fromMs: 12_000, forMs: 12_000 }]);
  // Segment 17 comes at 12 s; 16 was listed for a second before that, and 24 is for a second after it.
  expect(never).toEqual([17, 18, 19, 20, 21, 22, 23]);
  expect(lucky).toEqual([first, 16, 24]);
});

test('a segment that is never there, and one of which the origin says so, cannot be had', async () => {
  const faults = [{ on: 'segment', index: 9, do: 'status', status: 404 } as const];
  expect((await reach({ faults, gaps: [12] })).never).toEqual([9, 12]);
});

test('an encoder that restarts leaves no time for its last segment', async () => {
  const renumberings = [{ kind: 'reset', at: 20, to: 0 } as const];
  const { lucky, never } = await reach({ renumberings });
  expect({ lucky, never }).toEqual({ lucky: [first, 19], never: [] });
});
