import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CHECKSUMS_DEFAULT, contentHash } from '../../../src/ledger/contentHash.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';
import type { ChecksumAlgorithm } from '../../../src/ledger/record.ts';
import { verifyFiles } from '../../../src/ledger/verifyFiles.ts';

const hashOf = (algorithm: ChecksumAlgorithm, ...pieces: readonly string[]) => {
  const hash = contentHash(algorithm);
  for (const piece of pieces) hash.update(Buffer.from(piece));
  return hash.digest();
};

/** Refuses the module as it refuses itself on a platform that it has no binary for. */
const REFUSAL = `
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve: (name, context, next) => {
      if (name === '@napi-rs/blake-hash') throw new Error('Unsupported architecture');
      return next(name, context);
    },
  });`;

/** Runs code in a Node where the native module cannot be loaded. */
const withoutNative = (code: string): string => {
  const refusal = `data:text/javascript,${encodeURIComponent(REFUSAL)}`;
  return execFileSync(
    process.execPath,
    ['--import', refusal, '--input-type=module', '--eval', code],
    { cwd: join(import.meta.dirname, '../../..'), encoding: 'utf8' },
  ).trim();
};

test('new recordings are hashed with BLAKE3, whose published test vectors it meets', () => {
  expect(CHECKSUMS_DEFAULT).toBe('blake3');
  expect(hashOf('blake3')).toBe('af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262');
  // 1,025 bytes that count from 0 to 250 again and again: the first vector of more than one chunk.
  const counting = Buffer.from(Array.from({ length: 1_025 }, (_, index) => index % 251));
  const hash = contentHash('blake3');
  hash.update(counting.subarray(0, 3));
  hash.update(counting.subarray(3));
  expect(hash.digest()).toBe('d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444');
});

test('recordings that began with SHA-256 go on with it', () => {
  const expected = createHash('sha256').update('one two').digest('hex');
  expect(hashOf('sha256', 'one', ' two')).toBe(expected);
});

test('where the native module does not exist, new recordings use SHA-256', () => {
  const code = `
    import { CHECKSUMS_DEFAULT, contentHash } from './src/ledger/contentHash.ts';
    const hash = contentHash(CHECKSUMS_DEFAULT);
    hash.update(Buffer.from('one'));
    console.log(CHECKSUMS_DEFAULT, hash.digest());`;
  expect(withoutNative(code)).toBe(`sha256 ${createHash('sha256').update('one').digest('hex')}`);
});

test('where it does not exist, verifying a recording that needs it says so', () => {
  const code = `
    import { Ledger } from './src/ledger/ledger.ts';
    import { verifyFiles } from './src/ledger/verifyFiles.ts';
    const ledger = new Ledger();
    ledger.apply({ t: 'recording', v: 1, checksums: 'blake3', jobId: 'job', at: 1 });
    ledger.apply({ t: 'init', init: 0, track: 'main', file: 'x', bytes: 1, checksum: '' });
    await verifyFiles('/tmp', ledger).catch(({ code, message }) => console.log(code, message));`;
  expect(withoutNative(code)).toMatch(/^tool\.missing .*BLAKE3.*@napi-rs\/blake-hash.*install it/);
});

test.each(['blake3', 'sha256'] as const)(
  'files of a %s recording are verified with it',
  async (checksums) => {
    const directory = await mkdtemp(join(tmpdir(), 'kennel-hash-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const ledger = new Ledger();
    const recording = { t: 'recording', v: 1, jobId: 'job', at: 1 } as const;
    // Older journals do not say it.
    ledger.apply(checksums === 'sha256' ? recording : { ...recording, checksums });
    for (const [init, algorithm] of (['sha256', 'blake3'] as const).entries()) {
      const file = `init-${init}.mp4`;
      await writeFile(join(directory, file), 'content');
      const checksum = hashOf(algorithm, 'content');
      ledger.apply({ t: 'init', init, track: 'main', file, bytes: 7, checksum });
    }
    const differences = await verifyFiles(directory, ledger);
    const other = checksums === 'sha256' ? 'init-1.mp4' : 'init-0.mp4';
    expect(differences.map(({ kind, entry }) => [kind, entry.file])).toEqual([['checksum', other]]);
  },
);
