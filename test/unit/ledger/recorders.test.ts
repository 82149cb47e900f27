import { describe, expect, it } from 'vitest';
import { Ledger } from '../../../src/ledger/ledger.ts';
import { proofOf } from '../../../src/ledger/proof.ts';
import type { LedgerRecord } from '../../../src/ledger/record.ts';

const attempt = (recorder: string, number = 1): LedgerRecord => ({
  ...{ t: 'attempt', attempt: number, at: number, recorder, pid: 1 },
});
const started = (source: Record<string, unknown>): LedgerRecord => ({
  t: 'started',
  at: 1,
  source,
});
const segment = (msn: number): LedgerRecord => ({
  ...{ t: 'segment', track: 'main', epoch: 0, msn, at: msn, durationMs: 2_000, bytes: 10 },
  ...{ checksum: 'a'.repeat(64), file: `media/${msn}.ts`, container: 'ts', discontinuity: 0 },
});

function proofOfLines(...lines: readonly LedgerRecord[]) {
  const ledger = new Ledger();
  for (const line of lines) ledger.apply(line);
  const { basis, recorders } = proofOf(ledger);
  return { basis, recorders };
}

describe('what the account of a recording rests on', () => {
  it('is the playlist when the native engine recorded, also in journals of older versions', () => {
    const expected = { basis: 'playlist', recorders: ['native'] };
    expect(proofOfLines(attempt('native'), started({}), segment(0))).toEqual(expected);
    expect(proofOfLines(attempt('hls'), segment(0)).basis).toBe('playlist');
  });

  it('is the timestamps as soon as a program recorded any of it', () => {
    const lines = [attempt('ffmpeg'), started({ recorder: 'ffmpeg' }), segment(0)];
    expect(proofOfLines(...lines)).toEqual({ basis: 'timestamps', recorders: ['ffmpeg'] });
    expect(proofOfLines(...lines, attempt('native', 2), segment(1))).toEqual({
      basis: 'timestamps',
      recorders: ['ffmpeg', 'native'],
    });
  });

  it('counts a gap that was named, and no attempt that neither stored nor named anything', () => {
    const gap: LedgerRecord = {
      ...{ t: 'gap', track: 'main', epoch: 0, msn: 1, at: 5, count: 1 },
      ...{ cause: 'recorder.down', detail: '', durationMs: 100 },
    };
    const lines = [attempt('native'), segment(0), attempt('yt-dlp', 2), attempt('native', 3)];
    expect(proofOfLines(...lines, segment(2)).recorders).toEqual(['native']);
    expect(proofOfLines(attempt('native'), segment(0), attempt('yt-dlp', 2), gap)).toEqual({
      basis: 'timestamps',
      recorders: ['native', 'yt-dlp'],
    });
  });

  it('names who was chosen where nobody knew it when the attempt began', () => {
    const page = (source: Record<string, unknown>) =>
      proofOfLines(attempt('auto'), started(source), segment(0), attempt('auto', 2), segment(1));
    expect(page({ recorder: 'streamlink' }).recorders).toEqual(['streamlink']);
    expect(page({ playlist: 'media' })).toEqual({ basis: 'playlist', recorders: ['native'] });
  });

  it('is nobody and nothing before anything was recorded', () => {
    expect(proofOfLines(attempt('ffmpeg'))).toEqual({ basis: 'playlist', recorders: [] });
  });
});
