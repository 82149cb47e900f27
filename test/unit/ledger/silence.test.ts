import { expect, it } from 'vitest';
import { Ledger } from '../../../src/ledger/ledger.ts';
import { Silence } from '../../../src/ledger/silence.ts';

it('lasts from the last media on, through all attempts', () => {
  const ledger = new Ledger();
  const attempt = (at: number) =>
    ledger.apply({ t: 'attempt', attempt: 1, at, recorder: 'fake', pid: 1 });
  attempt(1_000);
  expect(ledger.silentMsAt(6_000)).toBe(5_000);
  ledger.apply({
    ...{ t: 'segment', track: 'main', epoch: 0, msn: 0, at: 11_000, durationMs: 1_000, bytes: 1 },
    ...{ checksum: '', file: 'one', container: 'ts', discontinuity: 0 },
  });
  attempt(41_000);
  attempt(71_000);
  expect(ledger.silentMsAt(81_000)).toBe(70_000);
});

it('counts little of a time in which nobody may have recorded, and nothing of a clock that was set back', () => {
  const silence = new Silence();
  silence.broken(0);
  silence.lasts(3_600_000);
  expect(silence.msAt(3_600_000)).toBe(90_000);
  silence.lasts(1_000_000);
  expect(silence.msAt(1_005_000)).toBe(95_000);
});

it('has not begun in an empty journal', () => {
  expect(new Silence().msAt(1_000)).toBe(0);
});
