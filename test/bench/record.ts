import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { startPostgres } from '../support/postgres.ts';
import { ffmpegPath, whyMissing } from '../support/tools.ts';
import { ffmpegSubject } from './record/ffmpegSubject.ts';
import { type Figures, figuresOf } from './record/figures.ts';
import { kennelSubject } from './record/kennelSubject.ts';
import { type LiveOrigin, liveOrigin } from './record/liveOrigin.ts';
import { table } from './record/report.ts';
import { type Sample, sampleUntil } from './record/sample.ts';
import type { Ended, Subject } from './record/subject.ts';

const USAGE = `node test/bench/record.ts [--seconds 30] [--rate 20] [--json FILE]
  What recording one live stream costs: the real "kennel record" beside "ffmpeg -i URL -c copy out.ts", at the same time, on the
  same stream of the synthetic origin. CPU and memory of whole process trees, from /proc (Linux only).
    --seconds   how long all of them record at the same time
    --rate      how many times faster than real time segments appear; 1 is a stream of 0.2 Mb/s
    --json      also writes all figures to a file`;

/** A loaded machine needs seconds to start three recorders; then something is wrong. */
const START_WAIT_MS = 60_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    rate: { type: 'string', default: '20' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const print = (text: string) => void process.stdout.write(`${text}\n`);

interface Measured {
  readonly figures: readonly Figures[];
  readonly endings: readonly (Ended & { readonly subject: string })[];
}

/** Records with all of them at the same time, and ends them at the same time. */
async function measure(subjects: readonly Subject[], seconds: number): Promise<Measured> {
  const samples = await sampleUntil(subjects, (taken) => isOver(taken, seconds * 1_000));
  for (const subject of subjects) subject.stop();
  const endings = subjects.map(async (subject) => ({
    subject: subject.name,
    ...(await subject.ended),
  }));
  return {
    figures: [...samples].flatMap(([subject, taken]) => figuresOf(subject, taken)),
    endings: await Promise.all(endings),
  };
}

/** @throws Error when one of them does not begin to record */
function isOver(taken: ReadonlyMap<Subject, readonly Sample[]>, lengthMs: number): boolean {
  const starts = [...taken.values()].map(
    (samples) => samples.find(({ bytes }) => bytes > 0)?.atMs ?? Number.POSITIVE_INFINITY,
  );
  const nowMs = Math.max(...[...taken.values()].map((samples) => samples.at(-1)?.atMs ?? 0));
  const lastStartMs = Math.max(...starts);
  if (lastStartMs !== Number.POSITIVE_INFINITY) return nowMs >= lastStartMs + lengthMs;
  if (nowMs < START_WAIT_MS) return false;
  const names = [...taken.keys()].filter((_, index) => starts[index] === Number.POSITIVE_INFINITY);
  throw new Error(`did not begin to record: ${names.map(({ name }) => name).join(', ')}`);
}

async function measureAll(origin: LiveOrigin, seconds: number): Promise<Measured> {
  const ffmpeg = await ffmpegPath();
  if (!ffmpeg) print(`did not run: ffmpeg and the ratios, because ${await whyMissing('ffmpeg')}`);
  const server = await startPostgres();
  const subjects: Subject[] = [];
  try {
    const { url } = origin;
    const isServerOurs = 'crash' in server;
    const databaseUrl = 'missing' in server ? undefined : await server.createDatabase();
    if (ffmpeg) subjects.push(ffmpegSubject(ffmpeg, url));
    subjects.push(kennelSubject({ url, ffmpeg, isServerOurs }));
    if (databaseUrl) subjects.push(kennelSubject({ url, ffmpeg, databaseUrl, isServerOurs }));
    return await measure(subjects, seconds);
  } finally {
    for (const subject of subjects) subject.remove();
    if (!('missing' in server)) await server.stop();
  }
}

const head = ({ bitsPerSecond, segmentBytes, segmentsPerSecond }: LiveOrigin): string =>
  `node ${process.version}, ${availableParallelism()} cores. One live stream of ${(bitsPerSecond / 1e6).toFixed(2)} Mb/s in ` +
  `${segmentsPerSecond} segments a second of ${(segmentBytes / 1e3).toFixed(0)} kB.\n` +
  'The stream is small: segments of real streams are some 100 times as large, so what is paid once for each segment (request,\n' +
  'fsync, journal) weighs far more in CPU-s/GB here than there; compare ms/segment.\n';

const notes = ({ endings }: Measured): string =>
  [
    ...endings.map(
      ({ subject, exitCode, said }) => `${subject} ended with exit code ${exitCode}: ${said}`,
    ),
    'start: until the first byte was stored, with an embedded database that exists already. Steady, CPU-s/GB, means: over the',
    'middle of the recording. RSS counts shared pages in each process, PSS divides them. The finish (joining the segments,',
    'which ffmpeg does while it records) is not in these figures.',
  ].join('\n');

async function main(): Promise<number> {
  const [seconds, rate] = [Number(values.seconds), Number(values.rate)];
  if (values.help || !(seconds > 0) || !(rate > 0)) {
    print(USAGE);
    return values.help ? 0 : 64;
  }
  if (process.platform !== 'linux') {
    print('did not run: all of it, because the figures come from /proc, which only Linux has');
    return 0;
  }
  const origin = await liveOrigin(rate);
  try {
    print(head(origin));
    const measured = await measureAll(origin, seconds);
    print(`${table(measured.figures)}\n\n${notes(measured)}`);
    if (values.json) {
      const machine = { node: process.version, cores: availableParallelism() };
      const stream = { ...origin, stop: undefined };
      const all = { machine, options: { seconds, rate }, stream, ...measured };
      await writeFile(values.json, `${JSON.stringify(all, null, 2)}\n`);
    }
    return 0;
  } finally {
    await origin.stop();
  }
}

process.exitCode = await main();
