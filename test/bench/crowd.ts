import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ffmpegPath } from '../support/tools.ts';
import { builtKennel } from './density/builtKennel.ts';
import { densityOrigin } from './density/densityOrigin.ts';
import { engineSubject } from './density/engineSubject.ts';
import { measureBatch } from './density/measureBatch.ts';
import { mediaOf } from './density/media.ts';
import { table } from './density/report.ts';

const USAGE = `node test/bench/crowd.ts [--streams 500] [--seconds 60] [--rate 0.1] [--tls] [--directory DIR]
  Whether many streams on one recorder host keep their window: segments lost, CPU, memory, and how long the host's event loop
  let things wait. Exit code 1 when a segment was lost. Linux only.
    --rate   of each stream, Mb/s; segments of 2 s, six of them in a playlist`;

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '0.1' },
    tls: { type: 'boolean', default: false },
    directory: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
});

const print = (text: string) => void process.stdout.write(`${text}\n`);

/** Soft and hard limit of open files, as hosts inherit it: a journal each, and two or three sockets and a file in flight. */
const openFilesMax = (): string =>
  /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 'unknown';

async function main(): Promise<number> {
  const [streams, seconds, rate] = [values.streams, values.seconds, values.rate].map(Number);
  if (values.help || !(streams && seconds && rate)) {
    print(USAGE);
    return values.help ? 0 : 64;
  }
  const directory = mkdtempSync(join(values.directory, 'kennel-crowd-'));
  const { tls } = values;
  const media = await mediaOf({ bitsPerSecond: rate * 1e6, ffmpeg: await ffmpegPath() });
  const built = await builtKennel();
  const origin = await densityOrigin({ directory: media.directory, streams, tls });
  try {
    const engine = await engineSubject({
      name: 'engine',
      directory,
      urls: Array.from({ length: streams }, (_, index) => origin.url('engine', index)),
      certificateFile: origin.certificateFile,
      hosts: 1,
      entry: built.write('watchedHost', directory),
      taken: async () => {
        const { bytes, segments, streams: begun } = await origin.served('engine');
        return begun < streams ? { bytes: 0, segments: 0 } : { bytes, segments };
      },
    });
    try {
      const { rows, busyness, endings } = await measureBatch([engine], { origin, tls, seconds });
      print(
        `${streams} streams of ${rate} Mb/s on one host for ${seconds} s; segments of ${(media.segmentBytes / 1e3).toFixed(0)} kB; ` +
          `cores ${busyness.busyPercent.toFixed(0)} % busy, ${openFilesMax()} open files allowed`,
      );
      print(table(rows));
      const [whole] = rows;
      print(`  ${(whole?.cpuMsPerSegment ?? Number.NaN).toFixed(2)} ms of CPU for each segment`);
      for (const ending of endings) print(`  ${ending}`);
      const delays = readFileSync(join(directory, 'engine', 'loop-delay.json'), 'utf8');
      print(`  event loop delay, ms: ${delays}`);
      const isKept = whole?.lost === 0 && endings.every((one) => one.includes('name 0 as lost'));
      return isKept ? 0 : 1;
    } finally {
      engine.remove();
    }
  } finally {
    await origin.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

process.exitCode = await main();
