import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/core/clock.ts';
import { openJournal } from '../../src/ledger/journal.ts';
import { makePes } from '../../src/programs/output/pesHeader.ts';
import { programOutput } from '../../src/programs/output/programOutput.ts';
import { TsContinuity } from '../../src/programs/output/tsContinuity.ts';
import { packetise } from '../../src/programs/output/tsPayload.ts';
import { BodyFile } from '../../src/recording/files/bodyFile.ts';
import { JournalWriter } from '../../src/recording/journalWriter.ts';

const USAGE = `node test/bench/programOutput.ts [--rounds 7] [--seconds 160]
  What it costs to take over the output of a program, CPU-seconds per gigabyte (10^9 bytes), beside what hashing and writing the same bytes
  into files of the same length costs: MPEG-TS of 5 Mb/s, 25 pictures/s with key frames every 2 s, and sound. Both take turns, so that a
  busy machine is unfair to neither; the best round of each counts, and the median of their differences.
    --rounds   turns of each
    --seconds  media of one turn`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '160' },
    help: { type: 'boolean', default: false },
  },
});

const print = (text: string) => void process.stdout.write(`${text}\n`);

const BITS_PER_SECOND = 5_000_000;
const FRAMES_PER_SECOND = 25;
const KEY_FRAMES = 50;
const TICKS_PER_FRAME = 90_000 / FRAMES_PER_SECOND;
/** As much as a pipe holds. */
const CHUNK_BYTES = 65_536;
const PIECE_S = 4;
const PICTURE_PID = 0x100;
const SOUND_PID = 0x101;
/** An ADTS header of 48 kHz without a checksum, and 250 bytes of content: 96 kb/s. */
const SOUND_BYTES = 257;
const SOUND_FRAMES = 8;
const SOUND_TICKS = 1_920;

function soundPes(ticks: number): Buffer {
  const frames = Array.from({ length: SOUND_FRAMES }, () => {
    const frame = randomBytes(SOUND_BYTES);
    frame.writeUInt16BE(0xfff1, 0);
    frame[2] = 0x4c;
    frame.writeUIntBE(0x800000 | (SOUND_BYTES << 5) | 0x1f, 3, 3);
    frame[6] = 0xfc;
    return frame;
  });
  return packetise(SOUND_PID, makePes(0xc0, ticks, Buffer.concat(frames)));
}

function picturePes(index: number): Buffer {
  const content = randomBytes(BITS_PER_SECOND / 8 / FRAMES_PER_SECOND);
  // A delimiter and a slice; what looks like another start code within is overwritten.
  for (let at = content.indexOf(START); at >= 0; at = content.indexOf(START, at))
    content[at] = 0x80;
  const isKey = index % KEY_FRAMES === 0;
  Buffer.from([0, 0, 0, 1, 9, 0xf0, 0, 0, 0, 1, isKey ? 0x65 : 0x41]).copy(content);
  return packetise(PICTURE_PID, makePes(0xe0, 90_000 + index * TICKS_PER_FRAME, content));
}

const START = Buffer.from([0, 0, 1]);

/** Media of so many seconds, with the tables of a fixture, which names the same streams. */
async function source(seconds: number): Promise<Buffer> {
  const fixture = path.join(import.meta.dirname, '../fixtures/media/ts/000.mpegts');
  const first = await readFile(fixture);
  const tables: Buffer[] = [];
  for (let at = 0; at < first.length && tables.length < 2; at += 188) {
    const pid = first.readUInt16BE(at + 1) & 0x1fff;
    if (pid === 0 || pid === 0x1000) tables.push(first.subarray(at, at + 188));
  }
  const parts: Buffer[] = [];
  let soundTicks = 90_000;
  for (let index = 0; index < seconds * FRAMES_PER_SECOND; index++) {
    if (index % 3 === 0) parts.push(...tables);
    parts.push(picturePes(index));
    while (soundTicks < 90_000 + index * TICKS_PER_FRAME) {
      parts.push(soundPes(soundTicks));
      soundTicks += SOUND_FRAMES * SOUND_TICKS;
    }
  }
  const all = Buffer.concat(parts);
  new TsContinuity().number(all);
  return all;
}

/** CPU-seconds per gigabyte, user and system time of the whole process. */
async function measured(
  bytes: Buffer,
  work: (directory: string) => Promise<void>,
): Promise<number> {
  const directory = await mkdtemp(path.join(tmpdir(), 'kennel-bench-output-'));
  try {
    const before = process.cpuUsage();
    await work(directory);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6 / (bytes.length / 1e9);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function plain(bytes: Buffer, directory: string): Promise<void> {
  const pieceBytes = (BITS_PER_SECOND / 8) * PIECE_S;
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    const body = new BodyFile({
      path: path.join(directory, `${from}.ts`),
      checksums: 'blake3',
      inspect: () => undefined,
    });
    const end = Math.min(bytes.length, from + pieceBytes);
    for (let at = from; at < end; at += CHUNK_BYTES) {
      await body.write(bytes.subarray(at, Math.min(end, at + CHUNK_BYTES)));
    }
    await body.finish();
  }
}

async function takenOver(bytes: Buffer, directory: string): Promise<void> {
  const clock = systemClock;
  const journal = await openJournal(directory, { clock });
  const ignore = () => undefined;
  const writer = new JournalWriter({
    journal,
    clock,
    troubled: ignore,
    healed: ignore,
    broken: ignore,
  });
  const output = programOutput({
    ...{ directory, attempt: 1, ledger: journal.ledger, writer, clock },
    signal: new AbortController().signal,
    begun: () => Promise.resolve(),
    log: ignore,
  });
  const run = output.run();
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    await run.write(bytes.subarray(at, at + CHUNK_BYTES));
  }
  await run.end(true);
  if (output.recordedMs === 0) throw new Error('nothing was stored');
  await writer.abandon();
  await journal.close();
}

async function main(): Promise<void> {
  const bytes = await source(Number(values.seconds));
  const plains: number[] = [];
  const takens: number[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    plains.push(await measured(bytes, (directory) => plain(bytes, directory)));
    takens.push(await measured(bytes, (directory) => takenOver(bytes, directory)));
  }
  const differences = takens.map((taken, index) => taken - (plains[index] ?? 0));
  const median = differences.toSorted((one, other) => one - other)[differences.length >> 1] ?? 0;
  print(`${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}, CPU-s/GB`);
  print(`hashed and written          ${Math.min(...plains).toFixed(2)}`);
  print(`taken over from a program   ${Math.min(...takens).toFixed(2)}`);
  print(`the difference, best        ${(Math.min(...takens) - Math.min(...plains)).toFixed(2)}`);
  print(`the difference, median      ${median.toFixed(2)}`);
}

if (values.help) print(USAGE);
else await main();
