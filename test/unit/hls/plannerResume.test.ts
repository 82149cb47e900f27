import { describe, expect, it } from 'vitest';
import { resumeFrom } from '../../../src/hls/planner/resume.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';

const HOUR_MS = 3_600_000;

const setup = () => {
  const ledger = new Ledger();
  const store = (msn: number, at = 1_000) =>
    ledger.apply({
      ...{ t: 'segment', track: 'main', epoch: 0, msn, at, durationMs: 2_000, bytes: 188 },
      ...{ checksum: `${msn}`, file: `${msn}.ts`, container: 'ts', discontinuity: 0 },
    });
  const open = (first?: number) =>
    ledger.apply({
      ...{ t: 'epoch', track: 'main', epoch: 0, at: 1_000, why: 'first' },
      ...(first !== undefined && { first }),
    });
  return { ledger, store, open };
};

describe('what a resumed recorder knows', () => {
  it('is nothing before an epoch was written', () => {
    expect(resumeFrom(setup().ledger, 'main', 0)).toBeUndefined();
  });

  it('is where the epoch begins and what is missing in it, however long the playlist is', () => {
    const { ledger, open, store } = setup();
    open(5);
    for (let msn = 7; msn < 30_007; msn++) if (msn !== 20) store(msn);
    const known = { next: 30_007, first: 5, openBelow: 0, holes: [5, 6, 20] };
    expect(resumeFrom(ledger, 'main', 2_000)).toMatchObject(known);
  });

  it('is what stands below the lowest settled number in journals that do not say where the epoch begins', () => {
    const { ledger, open, store } = setup();
    open();
    expect(resumeFrom(ledger, 'main', 2_000)).toMatchObject({ next: undefined, openBelow: 0 });
    for (let msn = 7; msn < 30_007; msn++) store(msn);
    const known = { next: 30_007, first: 7, openBelow: 7, holes: [] };
    expect(resumeFrom(ledger, 'main', 2_000)).toMatchObject(known);
  });

  it('does not take a clock that was set back for a short absence', () => {
    const { ledger, open, store } = setup();
    open(7);
    store(7, 2 * HOUR_MS);
    expect(resumeFrom(ledger, 'main', 2 * HOUR_MS + 5_000)?.idleMs).toBe(5_000);
    expect(resumeFrom(ledger, 'main', HOUR_MS)?.idleMs).toBeGreaterThan(HOUR_MS);
  });
});
