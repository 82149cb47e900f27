import { describe, expect, it } from 'vitest';
import { addressRules } from '../../../src/egress/addressRules.ts';
import { reachOfLinks } from '../../../src/egress/reachOfLinks.ts';
import { playlistText } from './streamRecorderOrigin.ts';
import { originFor, recorderSetup, segmentAt, until } from './streamRecorderSetup.ts';

/** A playlist at one port whose segments, as far as `isElsewhere` says so, are at another one of this machine. */
async function setup(isElsewhere: (line: string) => boolean, others: readonly string[] = []) {
  const live = { first: 0, count: 4, ended: false };
  const elsewhere = await originFor(segmentAt);
  const origin = await originFor((requested) => {
    if (requested !== '/live.m3u8') return segmentAt(requested);
    const lines = playlistText(live).split('\n');
    return lines.map((line) => (isElsewhere(line) ? `${elsewhere.url}/${line}` : line)).join('\n');
  });
  const url = `${origin.url}/live.m3u8`;
  const parts = await recorderSetup({ rules: addressRules(reachOfLinks([url, ...others])) });
  return { ...parts, live, elsewhere, url, port: new URL(elsewhere.url).port };
}

const isSegment = (line: string): boolean => line.startsWith('s');

describe('segments at addresses that nobody has allowed', () => {
  it('end the recording at once, with what to do about it, when there are no others', async () => {
    const { record, url, elsewhere, journal, port } = await setup(isSegment);
    const exit = await record({ url }).exited;
    expect(exit).toMatchObject({ kind: 'failed', why: 'address.refused', retryable: false });
    expect(JSON.stringify(exit)).toContain(`--allow 127.0.0.1:${port}`);
    expect(elsewhere.asked).toEqual([]);
    expect((await journal()).ledger.stored).toBe(0);
  });

  it('are named as gaps while they are still listed, with what to do about it, when others are not', async () => {
    const isOdd = (line: string): boolean => /^s\d*[13579]\.ts/.test(line);
    const { record, url, live, elsewhere, journal, port } = await setup(isOdd);
    const recorder = record({ url });
    await until(() => recorder.progress().settled === 4);
    live.count = 6;
    await until(() => recorder.progress().settled === 6);
    recorder.stop('over');
    await recorder.exited;
    const { records, ledger } = await journal();
    expect([ledger.stored, ledger.advertised]).toEqual([3, 6]);
    const gaps = records.flatMap((line) => (line.t === 'gap' ? [line] : []));
    expect(gaps.map(({ msn, count, cause }) => [msn, count, cause])).toEqual(
      [1, 3, 5].map((msn) => [msn, 1, 'invalid']),
    );
    for (const { detail } of gaps) expect(detail).toContain(`--allow 127.0.0.1:${port}`);
    expect(elsewhere.asked).toEqual([]);
  });

  it('come from another link that has them, when there is one', async () => {
    const live = { first: 0, count: 4, ended: false };
    const other = await originFor((requested) =>
      requested === '/live.m3u8' ? playlistText(live) : segmentAt(requested),
    );
    const fallback = `${other.url}/live.m3u8`;
    const { record, url, journal } = await setup(isSegment, [fallback]);
    const recorder = record({ url, fallbacks: [fallback] });
    await until(async () => (await journal()).ledger.stored === 4);
    recorder.stop('over');
    await recorder.exited;
    const { ledger } = await journal();
    expect([ledger.stored, ledger.lost]).toEqual([4, 0]);
  });
});
