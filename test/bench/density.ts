import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { ffmpegPath } from '../support/tools.ts';
import { type BuiltKennel, builtKennel } from './density/builtKennel.ts';
import { densityOrigin } from './density/densityOrigin.ts';
import { goalsOf } from './density/goals.ts';
import { diskOf } from './density/machine.ts';
import { type BatchResult, measureBatch } from './density/measureBatch.ts';
import { type Media, mediaOf } from './density/media.ts';
import { PEERS } from './density/peers.ts';
import { type Batch, batchesOf, isPeer, KENNELS, type Recorder } from './density/plan.ts';
import { plot } from './density/plot.ts';
import { findPrograms } from './density/programs.ts';
import { table } from './density/report.ts';
import { startSubject } from './density/subjects.ts';
import type { Subject } from './record/subject.ts';

const USAGE = `node test/bench/density.ts [--n 1,10,50] [--seconds 36] [--tls] [--rate 5] [--recorders LIST] [--hosts N]
                            [--directory DIR] [--json FILE] [--svg FILE] [--profile DIR]
  What recording many live streams at once costs: Kennel (its engine alone, and all of it with either database) beside ffmpeg,
  streamlink, yt-dlp and curl, on the same streams of one origin. CPU and memory of whole process trees, from /proc (Linux only).
    --n           numbers of streams, one after the other; also 200, which takes a quiet machine
    --seconds     how long they record after the last of them has begun
    --tls         over TLS
    --rate        of each stream, Mb/s
    --recorders   of: ${[...KENNELS, ...PEERS].join(', ')}
    --hosts       recorder hosts of a Kennel at most; default: one for each core
    --directory   where they record; a real disk, since fsync costs nothing on tmpfs
    --json, --svg also write all figures to a file, and plots of them
    --profile     the supervisor of kennel and the hosts of engine write CPU profiles there; it costs, so do not quote the figures of such a run`;

const { values } = parseArgs({
  options: {
    n: { type: 'string', default: '1,10,50' },
    seconds: { type: 'string', default: '36' },
    tls: { type: 'boolean', default: false },
    rate: { type: 'string', default: '5' },
    recorders: { type: 'string', default: [...KENNELS, ...PEERS].join(',') },
    peers: { type: 'string' },
    hosts: { type: 'string' },
    directory: { type: 'string', default: tmpdir() },
    json: { type: 'string' },
    svg: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const SATURATED_PERCENT = 90;
const print = (text: string) => void process.stdout.write(`${text}\n`);

interface Bench {
  readonly built: BuiltKennel;
  readonly media: Media;
  readonly seconds: number;
  readonly tls: boolean;
  readonly recorders: readonly Recorder[];
  readonly programs: ReadonlyMap<Recorder, string>;
  readonly postgres: PostgresServer | undefined;
}

async function runBatch(bench: Bench, { streams, recorders }: Batch): Promise<BatchResult> {
  const { built, media, tls, seconds, programs, postgres } = bench;
  const directory = mkdtempSync(join(values.directory, 'kennel-density-'));
  const neededBytes = (media.segmentBytes * streams * recorders.length * (seconds + 40)) / 2;
  const { freeBytes } = diskOf(directory);
  if (freeBytes < neededBytes)
    throw new Error(`${directory} has ${freeBytes} bytes free, and ${neededBytes} are needed`);
  const origin = await densityOrigin({ directory: media.directory, streams, tls });
  const subjects: Subject[] = [];
  try {
    const hosts = values.hosts === undefined ? undefined : Number(values.hosts);
    const options = {
      origin,
      built,
      directory,
      programs,
      postgres,
      hosts,
      profileDirectory: values.profile,
    };
    for (const name of recorders) subjects.push(await startSubject(name, options));
    return await measureBatch(subjects, { origin, tls, seconds });
  } finally {
    for (const subject of subjects) subject.remove();
    await origin.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measureAll(bench: Bench): Promise<BatchResult[]> {
  const results: BatchResult[] = [];
  for (const streams of values.n.split(',').map(Number)) {
    for (const batch of batchesOf(streams, bench.recorders)) {
      const result = await runBatch(bench, batch);
      const { busyPercent, loadAverage } = result.busyness;
      const isSaturated = busyPercent > SATURATED_PERCENT;
      print(
        `\n${streams} streams${bench.tls ? ' over TLS' : ''}; load average ${loadAverage.toFixed(1)}, cores ${busyPercent.toFixed(0)} % busy` +
          `${isSaturated ? ': the machine was saturated, not a recorder' : ''}\n${table(result.rows)}`,
      );
      for (const ending of result.endings) print(`  ${ending}`);
      results.push(result);
    }
  }
  return results;
}

async function prepare(): Promise<{ readonly bench: Bench; stop(): Promise<void> }> {
  const kennels = values.recorders.split(',').filter((name) => !PEERS.some((one) => one === name));
  const names = values.peers === undefined ? values.recorders : [...kennels, values.peers].join();
  const wanted = [...KENNELS, ...PEERS].filter((one) => names.split(',').includes(one));
  const ffmpeg = await ffmpegPath();
  const media = await mediaOf({ bitsPerSecond: Number(values.rate) * 1e6, ffmpeg });
  const programs = await findPrograms(wanted.filter(isPeer), print);
  const isServerWanted = wanted.includes('kennel-postgres');
  const server = isServerWanted ? await startPostgres() : { missing: 'it was not asked for' };
  const postgres = 'missing' in server ? undefined : server;
  const recorders = wanted.filter((name) => {
    if (name === 'kennel-postgres') return postgres !== undefined;
    return !isPeer(name) || programs.has(name);
  });
  const { seconds, tls } = values;
  const built = await builtKennel();
  const bench = { built, media, seconds: Number(seconds), tls, recorders, programs, postgres };
  return { bench, stop: async () => await postgres?.stop() };
}

async function main(): Promise<number> {
  const isUsable = [values.seconds, values.rate, ...values.n.split(',')].every(
    (one) => Number(one) > 0,
  );
  if (values.help || !isUsable) {
    print(USAGE);
    return values.help ? 0 : 64;
  }
  if (process.platform !== 'linux') {
    print('did not run: all of it, because the figures come from /proc, which only Linux has');
    return 0;
  }
  const { bench, stop } = await prepare();
  try {
    const { media } = bench;
    const machine = {
      node: process.version,
      cores: availableParallelism(),
      fileSystem: diskOf(values.directory).kind,
    };
    print(
      `node ${machine.node}, ${machine.cores} cores, recordings on ${machine.fileSystem}. Streams of ${values.rate} Mb/s: segments of ` +
        `${(media.segmentBytes / 1e6).toFixed(2)} MB, ${media.made}.`,
    );
    const results = await measureAll(bench);
    const rows = results.flatMap((result) => result.rows);
    const goals = goalsOf(rows);
    print('');
    for (const { text, isMet } of goals) print(`${isMet ? 'met   ' : 'MISSED'}  ${text}`);
    if (values.json)
      await writeFile(
        values.json,
        `${JSON.stringify({ machine, options: values, media, results, goals }, null, 2)}\n`,
      );
    if (values.svg) await writeFile(values.svg, plot(rows));
    return 0;
  } finally {
    await stop();
  }
}

process.exitCode = await main();
