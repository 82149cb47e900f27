import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { crc32 } from 'node:zlib';
import { CHECKSUMS_DEFAULT, type ContentHash, contentHash } from '../../src/ledger/contentHash.ts';

const USAGE = `node test/bench/checksum.ts [--rounds 7] [--json FILE]
  What hashing segments costs, CPU-seconds per gigabyte (10^9 bytes), by algorithm: segments of 1.25 MB in pieces of 128 KiB, as they
  are written. The algorithms take turns, so that a busy machine is unfair to none of them; the best round of each counts.
    --rounds   turns of each
    --json     also writes all figures to a file`;

/** 2 s at 5 Mb/s. */
const SEGMENT_BYTES = 1_250_000;
/** As `BodyFile` hands them over. */
const PIECE_BYTES = 128 * 1024;
/** Segments of one round: 0.05 GB, a few hundred milliseconds of the slowest. */
const SEGMENTS = 40;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const print = (text: string) => void process.stdout.write(`${text}\n`);

const openssl = (name: string) => (): ContentHash => {
  const hash = createHash(name);
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('hex') };
};

function checkSum(): ContentHash {
  let sum = 0;
  return {
    update: (bytes) => {
      sum = crc32(bytes, sum);
    },
    digest: () => sum.toString(16),
  };
}

/** `forgeable`: somebody who wants to can make another file with the same sum. */
const CANDIDATES: readonly { name: string; forgeable: boolean; begin(): ContentHash }[] = [
  { name: 'blake3', forgeable: false, begin: () => contentHash('blake3') },
  { name: 'sha256', forgeable: false, begin: () => contentHash('sha256') },
  { name: 'blake2b512', forgeable: false, begin: openssl('blake2b512') },
  { name: 'sha1', forgeable: true, begin: openssl('sha1') },
  { name: 'md5', forgeable: true, begin: openssl('md5') },
  { name: 'crc32', forgeable: true, begin: checkSum },
];

/** CPU-seconds per gigabyte of one round, user and system time of the whole process. */
function round(begin: () => ContentHash, segment: Buffer): number {
  const before = process.cpuUsage();
  for (let count = 0; count < SEGMENTS; count++) {
    const hash = begin();
    for (let at = 0; at < SEGMENT_BYTES; at += PIECE_BYTES) {
      hash.update(segment.subarray(at, Math.min(SEGMENT_BYTES, at + PIECE_BYTES)));
    }
    hash.digest();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6 / ((SEGMENTS * SEGMENT_BYTES) / 1e9);
}

async function main(): Promise<void> {
  const rounds = Number(values.rounds);
  const segment = Buffer.from(Array.from({ length: SEGMENT_BYTES }, (_, at) => (at * 31) % 251));
  const measured = new Map(CANDIDATES.map(({ name }) => [name, [] as number[]]));
  for (const { begin } of CANDIDATES) round(begin, segment);
  for (let turn = 0; turn < rounds; turn++) {
    for (const { name, begin } of CANDIDATES) measured.get(name)?.push(round(begin, segment));
  }
  const rows = CANDIDATES.map(({ name, forgeable }) => {
    const figures = (measured.get(name) ?? []).toSorted((a, b) => a - b);
    return { name, forgeable, best: figures[0] ?? 0, median: figures[rounds >> 1] ?? 0 };
  }).toSorted((a, b) => a.best - b.best);
  const cpu = cpus()[0]?.model ?? 'unknown';
  print(`${cpu}, Node ${process.version}, CPU-s/GB; new recordings use ${CHECKSUMS_DEFAULT}`);
  print('algorithm     best  median  forgeable');
  for (const { name, forgeable, best, median } of rows) {
    const figures = [best, median].map((figure) => figure.toFixed(2));
    print(
      `${name.padEnd(12)}${figures[0]?.padStart(6)}${figures[1]?.padStart(8)}  ${forgeable ? 'yes' : 'no'}`,
    );
  }
  if (values.json !== undefined) {
    await writeFile(
      values.json,
      `${JSON.stringify({ cpu, node: process.version, rows }, null, 2)}\n`,
    );
  }
}

if (values.help) print(USAGE);
else await main();
