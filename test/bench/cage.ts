import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CAGE_RUNGS, type Cage, type CagedProgram, type CageNetwork } from '../../src/cage/cage.ts';
import { openCage } from '../../src/cage/openCage.ts';
import { systemClock } from '../../src/core/clock.ts';
import { toolPath } from '../support/tools.ts';
import { spawnCaged } from '../unit/cage/cageTrial.ts';

const USAGE = `node test/bench/cage.ts [--starts 30] [--megabytes 400] [--json FILE]
  What a cage costs: milliseconds from spawn to end of \`true\` and of \`ffmpeg -version\` (median and best; on a machine that is busy
  with other things the best tells what the cage costs, and the median how long it waits), and CPU-seconds of the program for
  each gigabyte (10^9 bytes) that it puts out, for each rung of the ladder. The rungs take turns, so that a busy machine is unfair to none.
    --starts      of each program on each rung
    --megabytes   put out by dd on each rung; ffmpeg puts out about as much
    --json        also writes all figures to a file`;

/** What a cage may add to a start, milliseconds: a tenth of what ffmpeg takes to start. */
const OVERHEAD_MS_MAX = 10;

const { values } = parseArgs({
  options: {
    starts: { type: 'string', default: '30' },
    megabytes: { type: 'string', default: '400' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const print = (text: string) => void process.stdout.write(`${text}\n`);
const root = mkdtempSync(join(tmpdir(), 'kennel-bench-cage-'));
const LIMITS = { fileBytesMax: 1e9, openFilesMax: 256, processesMax: 128 };

interface Contestant {
  readonly name: string;
  readonly cage: Cage;
  readonly network: CageNetwork;
}

/** One for each rung that this machine has. */
async function contestants(): Promise<Contestant[]> {
  const found: Contestant[] = [];
  for (const best of CAGE_RUNGS.toReversed()) {
    const since = performance.now();
    const cage = await openCage({
      mode: 'auto',
      best,
      searchPath: process.env['PATH'] ?? '',
      nodePath: process.execPath,
      runDirectory: join(root, 'run'),
      clock: systemClock,
      log: () => {},
    });
    const probeMs = performance.now() - since;
    if (cage.report.rung !== best) {
      print(`${best}: not on this machine (${cage.report.missing[0]?.problem ?? 'not tried'})`);
      continue;
    }
    const network = await cage.network({ tcp: 1, udp: 0 });
    print(`${best}: probed in ${probeMs.toFixed(0)} ms`);
    found.push({ name: best, cage, network });
  }
  return found;
}

interface Run {
  readonly durationMs: number;
  readonly bytes: number;
  readonly stderr: string;
}

/** The time includes making the command, as a recorder's start does. */
async function run(
  { cage, network }: Contestant,
  file: string,
  args: readonly string[],
): Promise<Run> {
  const workDirectory = mkdtempSync(join(root, 'work-'));
  const program: CagedProgram = {
    profile: 'fetch',
    file,
    arguments: args,
    environment: {},
    workDirectory,
    limits: LIMITS,
    network,
  };
  const since = performance.now();
  const child = spawnCaged(cage.command(program, 3));
  let bytes = 0;
  let stderr = '';
  child.stdout?.on('data', (data: Buffer) => {
    bytes += data.length;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  const durationMs = performance.now() - since;
  rmSync(workDirectory, { recursive: true });
  if (code !== 0) throw new Error(`${file} ended with ${String(code)}: ${stderr}`);
  return { durationMs, bytes, stderr };
}

async function startTimes(all: readonly Contestant[], file: string, args: readonly string[]) {
  const times = new Map(all.map(({ name }) => [name, [] as number[]]));
  for (const contestant of all) await run(contestant, file, args);
  for (let turn = 0; turn < Number(values.starts); turn++) {
    for (const contestant of all) {
      times.get(contestant.name)?.push((await run(contestant, file, args)).durationMs);
    }
  }
  const sorted = [...times].map(
    ([name, figures]) => [name, figures.toSorted((x, y) => x - y)] as const,
  );
  const median = new Map(
    sorted.map(([name, figures]) => [name, figures[figures.length >> 1] ?? 0]),
  );
  const best = new Map(sorted.map(([name, figures]) => [name, figures[0] ?? 0]));
  return { median, best };
}

/** The shell in the cage counts the program's CPU: from outside of a pid namespace it is not to be had. */
async function cpuPerGigabyte(all: readonly Contestant[], command: string) {
  const figures = new Map(all.map(({ name }) => [name, [] as number[]]));
  for (let turn = 0; turn < 3; turn++) {
    for (const contestant of all) {
      const { bytes, stderr } = await run(contestant, '/bin/sh', ['-c', `${command}; times >&2`]);
      const seconds = [...(stderr.trim().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)]
        .map(([, minutes, rest]) => Number(minutes) * 60 + Number(rest))
        .reduce((sum, figure) => sum + figure, 0);
      figures.get(contestant.name)?.push(seconds / (bytes / 1e9));
    }
  }
  return new Map([...figures].map(([name, found]) => [name, Math.min(...found)]));
}

async function main(): Promise<void> {
  mkdirSync(join(root, 'run'));
  const all = await contestants();
  const megabytes = Number(values.megabytes);
  const ffmpeg = await toolPath('ffmpeg');
  const columns: { title: string; digits: number; figures: Map<string, number> }[] = [];
  const verdicts: string[] = [];
  const rung = all.at(-1)?.name ?? 'none';
  for (const [name, file, args] of [
    ['true', '/bin/true', []],
    ['ffmpeg', ffmpeg, ['-version']],
  ] as const) {
    if (file === undefined) {
      print(`${name}: not on this machine`);
      continue;
    }
    const { median, best } = await startTimes(all, file, args);
    columns.push({ title: `${name} ms`, digits: 1, figures: median });
    columns.push({ title: 'best', digits: 1, figures: best });
    const [usual, least] = [median, best].map(
      (figures) => (figures.get(rung) ?? 0) - (figures.get('none') ?? 0),
    );
    const word = (added = 0) =>
      `${added.toFixed(1)} ms, ${added <= OVERHEAD_MS_MAX ? 'met' : 'NOT met'}`;
    verdicts.push(
      `${rung} adds to a start of ${name}, at most ${OVERHEAD_MS_MAX} ms: median ${word(usual)}; best ${word(least)}`,
    );
  }
  const dd = await cpuPerGigabyte(
    all,
    `dd if=/dev/zero bs=64k count=${megabytes * 16} status=none`,
  );
  columns.push({ title: 'dd CPU-s/GB', digits: 3, figures: dd });
  if (ffmpeg?.startsWith('/usr/') === true) {
    // A frame of 1280 × 720 has 1.38 MB.
    const frames = Math.ceil(megabytes / 1.38);
    const source = `-f lavfi -i color=size=1280x720 -frames:v ${frames} -pix_fmt yuv420p`;
    const command = `${ffmpeg} -loglevel error ${source} -f rawvideo pipe:1`;
    const figures = await cpuPerGigabyte(all, command);
    columns.push({ title: 'ffmpeg CPU-s/GB', digits: 3, figures });
  }
  const who = process.geteuid?.() === 0 ? 'root' : 'an ordinary user';
  print(
    `\n${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}, as ${who}; median of ${values.starts} starts`,
  );
  print(`${'rung'.padEnd(12)}${columns.map(({ title }) => title.padStart(16)).join('')}`);
  for (const { name } of all) {
    const cells = columns.map(({ figures, digits }) => (figures.get(name) ?? 0).toFixed(digits));
    print(`${name.padEnd(12)}${cells.map((cell) => cell.padStart(16)).join('')}`);
  }
  for (const verdict of verdicts) print(verdict);
  if (values.json !== undefined) {
    const rows = columns.map(({ title, figures }) => ({ title, ...Object.fromEntries(figures) }));
    await writeFile(
      values.json,
      `${JSON.stringify({ node: process.version, who, rows }, null, 2)}\n`,
    );
  }
  for (const { cage } of all) cage.close();
}

if (values.help) print(USAGE);
else {
  try {
    await main();
  } finally {
    rmSync(root, { recursive: true });
  }
}
