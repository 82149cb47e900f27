import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ffmpegPath } from '../support/tools.ts';
import { densityOrigin } from './density/densityOrigin.ts';
import { mediaOf } from './density/media.ts';
import { type KillChannel, killChannels } from './killLatency/killChannels.ts';
import { killMoments } from './killLatency/killMoments.ts';
import { openJournal } from './killLatency/openJournal.ts';
import { servedKennel } from './killLatency/servedKennel.ts';

const USAGE = `node test/bench/killLatency.ts [--streams 200] [--kills 30] [--rate 0.1] [--directory DIR]
  How soon a kill is heard while many streams record: from when it is sent until it is acknowledged (the supervision tree has
  heard it), its recorder has ended, the job is cancelled, and a listener has heard so, for REST, WebSocket and WebRTC. The service is a process of its own, and so is the origin.
  Exit code 1 when the acknowledgement takes more than 100 ms at the 99th percentile. Linux only.
    --kills  for each channel
    --rate   of each stream, Mb/s`;

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '200' },
    kills: { type: 'string', default: '30' },
    rate: { type: 'string', default: '0.1' },
    directory: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
});

/** What a kill may take until it is heard, milliseconds: what the project promises. */
const HEARD_WITHIN_MS = 100;
const print = (text: string) => void process.stdout.write(`${text}\n`);

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function told(name: string, times: readonly number[]): string {
  const sorted = times.toSorted((one, other) => one - other);
  const [p50, p99] = [percentile(sorted, 0.5), percentile(sorted, 0.99)];
  return `  ${name.padEnd(28)} p50 ${p50.toFixed(1).padStart(7)} ms   p99 ${p99.toFixed(1).padStart(7)} ms   max ${(sorted.at(-1) ?? Number.NaN).toFixed(1).padStart(7)} ms   (${sorted.length})`;
}

async function main(): Promise<number> {
  const [streams, kills, rate] = [values.streams, values.kills, values.rate].map(Number);
  if (values.help || !(streams && kills && rate)) {
    print(USAGE);
    return values.help ? 0 : 64;
  }
  const directory = mkdtempSync(join(values.directory, 'kennel-kills-'));
  const media = await mediaOf({ bitsPerSecond: rate * 1e6, ffmpeg: await ffmpegPath() });
  const spare = kills * 3;
  const origin = await densityOrigin({
    directory: media.directory,
    streams: streams + spare,
    tls: false,
  });
  const kennel = await servedKennel(directory);
  try {
    const urls = Array.from({ length: streams + spare }, (_, index) => origin.url('kennel', index));
    const jobs = await kennel.record(urls);
    print(`${jobs.length} of ${streams} + ${spare} streams of ${rate} Mb/s record`);
    const moments = await killMoments(kennel.url);
    const channels = await killChannels(kennel.url);
    let isInTime = true;
    for (const channel of channels) {
      const kill = (jobId: string) => killOne({ channel, jobId, moments, dataDir: kennel.dataDir });
      const times: Awaited<ReturnType<typeof kill>>[] = [];
      for (const jobId of jobs.splice(0, Math.min(kills, jobs.length)))
        times.push(await kill(jobId));
      print(channel.name);
      print(
        told(
          'acknowledged',
          times.map(({ ackMs }) => ackMs),
        ),
      );
      print(
        told(
          'recorder has ended',
          times.flatMap(({ recorderMs }) => recorderMs),
        ),
      );
      print(
        told(
          'job is cancelled',
          times.map(({ endMs }) => endMs),
        ),
      );
      print(
        told(
          'heard by a listener (SSE)',
          times.map(({ heardMs }) => heardMs),
        ),
      );
      isInTime &&= times.filter(({ ackMs }) => ackMs > HEARD_WITHIN_MS).length <= kills / 100;
      await channel.close();
    }
    print(`  ${jobs.length} streams recorded all the while`);
    await moments.close();
    return isInTime ? 0 : 1;
  } finally {
    await kennel.stop();
    await origin.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Kill {
  readonly channel: KillChannel;
  readonly jobId: string;
  readonly moments: Awaited<ReturnType<typeof killMoments>>;
  readonly dataDir: string;
}

/** Times since the kill was sent, milliseconds, all by this machine's clock. */
async function killOne({ channel, jobId, moments, dataDir }: Kill) {
  const moved = moments.of(jobId);
  const journal = await openJournal(dataDir, jobId);
  const closed = journal?.closed();
  const sentAt = Date.now();
  const begun = performance.now();
  await channel.kill(jobId);
  const ackMs = performance.now() - begun;
  const [{ endedAt, heardAt }, recorderAt] = await Promise.all([moved, closed]);
  return {
    ackMs,
    // What has no journal yet records nothing yet.
    recorderMs: recorderAt === undefined ? [] : [recorderAt - sentAt],
    endMs: endedAt - sentAt,
    heardMs: heardAt - sentAt,
  };
}

process.exitCode = await main();
