import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Ledger } from '../../../src/ledger/ledger.ts';
import { proofOf } from '../../../src/ledger/proof.ts';
import type { SegmentStored } from '../../../src/ledger/record.ts';
import { verifyFiles } from '../../../src/ledger/verifyFiles.ts';

const sha256 = (content: string) => createHash('sha256').update(content).digest('hex');

async function setup() {
  const directory = await mkdtemp(join(tmpdir(), 'kennel-proof-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const ledger = new Ledger();
  const segment = async (key: Partial<SegmentStored>, content: string) => {
    const file = `${key.track ?? 'main'}-${key.epoch ?? 0}-${key.msn ?? 0}.ts`;
    await writeFile(join(directory, file), content);
    ledger.apply({
      t: 'segment',
      track: 'main',
      epoch: 0,
      msn: 0,
      at: 1,
      durationMs: 2000,
      bytes: content.length,
      checksum: sha256(content),
      container: 'ts',
      discontinuity: 0,
      file,
      ...key,
    });
  };
  return { directory, ledger, segment };
}

test('a proof says what is stored, what is missing and why, and how it ended', async () => {
  const { ledger, segment } = await setup();
  ledger.apply({ t: 'recording', v: 1, jobId: 'job', at: 1 });
  ledger.apply({ t: 'attempt', attempt: 1, at: 1, recorder: 'hls', pid: 1 });
  ledger.apply({ t: 'started', at: 5, source: {} });
  await segment({ msn: 1 }, 'one');
  const gap = {
    track: 'main',
    epoch: 0,
    msn: 2,
    count: 2,
    cause: 'http.404',
    detail: '9 tries',
    durationMs: 4000,
  } as const;
  ledger.apply({ t: 'gap', at: 2, ...gap });
  ledger.apply({ t: 'ended', at: 9, why: 'endlist', evidence: { unheard: ['audio-de'] } });
  expect(proofOf(ledger)).toEqual({
    jobId: 'job',
    advertised: 3,
    stored: 1,
    lost: [gap],
    duplicates: 0,
    bytes: 3,
    durationMs: 2000,
    attempts: 1,
    basis: 'playlist',
    recorders: ['hls'],
    startedAt: 5,
    ended: { why: 'endlist', evidence: { unheard: ['audio-de'] } },
    unheard: ['audio-de'],
    checksum: sha256(`main 0 1 ${sha256('one')}\n`),
  });
});

test('the checksum depends on what is stored, not on the order it arrived in', async () => {
  const [one, two] = [await setup(), await setup()];
  await one.segment({ msn: 9 }, 'nine');
  await one.segment({ msn: 10 }, 'ten');
  await one.segment({ track: 'audio', msn: 9 }, 'sound');
  await two.segment({ track: 'audio', msn: 9 }, 'sound');
  await two.segment({ msn: 10 }, 'ten');
  await two.segment({ msn: 9 }, 'nine');
  const lines = `audio 0 9 ${sha256('sound')}\nmain 0 9 ${sha256('nine')}\nmain 0 10 ${sha256('ten')}\n`;
  expect(proofOf(one.ledger).checksum).toBe(sha256(lines));
  expect(proofOf(two.ledger).checksum).toBe(sha256(lines));
});

test('files that are all there, byte for byte, have no differences', async () => {
  const { directory, ledger, segment } = await setup();
  await segment({ msn: 1 }, 'one');
  expect(await verifyFiles(directory, ledger)).toEqual([]);
});

test('a missing, a shortened and a changed file are each named', async () => {
  const { directory, ledger, segment } = await setup();
  for (const msn of [1, 2, 3, 4]) await segment({ msn }, `segment ${msn}`);
  await rm(join(directory, 'main-0-1.ts'));
  await writeFile(join(directory, 'main-0-2.ts'), 'segm');
  await writeFile(join(directory, 'main-0-3.ts'), 'segment 8');
  const differences = await verifyFiles(directory, ledger);
  expect(differences.map(({ kind, entry }) => [kind, entry.file])).toEqual([
    ['missing', 'main-0-1.ts'],
    ['bytes', 'main-0-2.ts'],
    ['checksum', 'main-0-3.ts'],
  ]);
});
