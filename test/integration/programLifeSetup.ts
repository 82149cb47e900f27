import { existsSync, globSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { RecorderExit } from '../../machines/ports.ts';
import type { JobSpec } from '../../machines/vocabulary.ts';
import type { Cage, CageNetwork } from '../../src/cage/cage.ts';
import { systemClock } from '../../src/core/clock.ts';
import { KennelError } from '../../src/core/errors.ts';
import type { EgressGate } from '../../src/egress/egressGate.ts';
import type { ResolvedLink } from '../../src/intake/link.ts';
import { processesWithEnvironment } from '../../src/process/procfs.ts';
import type {
  OutputRun,
  ProgramOutput,
  ProgramOutputOptions,
} from '../../src/programs/output/programOutput.ts';
import type { ProgramParts } from '../../src/programs/programParts.ts';
import { programRecording } from '../../src/programs/programRecording.ts';
import type { ProgramLimits } from '../../src/programs/programSettings.ts';
import type { ExitExplanation, RecorderPlugin } from '../../src/programs/recorderPlugin.ts';
import type { Recorder } from '../../src/recording/recorder.ts';
import { recorderOf } from '../../src/recording/recorderSession.ts';

const root = path.join(import.meta.dirname, '../..');
const TOOL = path.join(root, 'test/fixtures/programs/fakeTool.mjs');
const SEGMENTS = globSync('test/fixtures/media/ts/*.mpegts', { cwd: root })
  .toSorted()
  .slice(0, 5)
  .map((file) => path.join(root, file));

/** Each piece of the fixture is so long, milliseconds; what the trivial output counts with. */
export const PIECE_MS = 1_000;

const LIMITS: ProgramLimits = {
  memoryBytesMax: 4_000_000_000,
  coresMax: 16,
  logBytesPerMinuteMax: 100_000_000,
  fileBytesMax: 100_000_000,
  openFilesMax: 1_024,
  processesMax: 64,
};

/** Passes everything through. */
const openCage: Cage = {
  report: { rung: 'none', hasSeccomp: false, missing: [] },
  command: ({ file, arguments: args, environment, workDirectory }) => ({
    ...{ file, arguments: args, environment, inherit: [], workDirectory },
  }),
  network: async () => openNetwork,
  close: () => undefined,
};

const openNetwork: CageNetwork = {
  isSealed: false,
  tcp: () => Promise.reject(new Error('no relays here')),
  udp: () => Promise.reject(new Error('no relays here')),
  close: () => undefined,
};

const openGate: EgressGate = {
  pass: async () => ({
    proxyUrl: 'http://fake:gate-secret@127.0.0.1:1',
    relay: () => Promise.reject(new Error('no relays here')),
    receivedBytes: 0,
    sentBytes: 0,
    refused: [],
    close: () => undefined,
  }),
  close: async () => undefined,
};

/** What became of the media: counted, and the same bytes are no news. */
export class CountingOutput implements ProgramOutput {
  readonly #options: ProgramOutputOptions;
  readonly #seen = new Set<string>();
  bytes = 0;
  runs = 0;
  ends = 0;
  /** Waited for before each write. */
  hold: Promise<void> | undefined;
  advertised = 0;
  settled = 0;
  recordedMs = 0;
  finished: string | undefined;

  constructor(options: ProgramOutputOptions) {
    this.#options = options;
  }

  async finish(why: string): Promise<void> {
    this.finished = why;
  }

  run(): OutputRun {
    this.runs++;
    if (this.runs !== this.ends + 1) throw new Error('two runs at a time');
    const run = { mediaMs: 0, hadMedia: false };
    const take = async (bytes: Uint8Array) => {
      if (bytes[0] === 0x3c) throw new KennelError('segment.invalid', 'it is a page of HTML');
      await Promise.race([this.hold, aborted(this.#options.signal)]);
      this.#options.signal.throwIfAborted();
      if (!run.hadMedia) await this.#options.begun();
      run.hadMedia = true;
      this.bytes += bytes.length;
      run.mediaMs += PIECE_MS;
      const content = Buffer.from(bytes).toString('base64');
      if (!this.#seen.has(content)) this.recordedMs += PIECE_MS;
      this.#seen.add(content);
    };
    return {
      get mediaMs() {
        return run.mediaMs;
      },
      get hadMedia() {
        return run.hadMedia;
      },
      write: take,
      end: async () => {
        this.ends++;
      },
    };
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

export interface Life {
  readonly recorder: Recorder;
  readonly output: CountingOutput;
  readonly directory: string;
  readonly jobId: string;
  /** Pids of what carries the job's mark. */
  living(): Promise<number[]>;
  /** Resolves once media has come. */
  hasMedia(): Promise<void>;
  /** The exit; fails when anything is left of the programs. */
  exited(): Promise<RecorderExit>;
}

export interface LifeOptions {
  /** What each program does, one after another; the last one again and again. */
  readonly behaviours: readonly string[];
  readonly spec?: Partial<JobSpec>;
  readonly limits?: Partial<ProgramLimits>;
  readonly resolve?: ProgramParts['resolve'];
  readonly output?: (output: CountingOutput) => void;
}

const explanations: Record<number, ExitExplanation> = {
  0: { fault: 'none', why: 'exit.0', retry: true, sentence: 'it ended' },
  3: { fault: 'source', why: 'source.unavailable', retry: true, sentence: 'the source is away' },
  4: { fault: 'caller', why: 'source.login', retry: false, sentence: 'members only' },
};

function fakePlugin(behaviours: readonly string[]): RecorderPlugin {
  let started = 0;
  return {
    name: 'fake',
    tool: {
      command: 'fake',
      versionArguments: [],
      parseVersion: () => '1',
      minimum: { version: '1', because: '' },
      advice: '',
    },
    fitness: () => 1,
    command: () => {
      const behaviour = behaviours[Math.min(started++, behaviours.length - 1)] ?? 'live';
      return {
        arguments: [TOOL, behaviour, ...SEGMENTS],
        environment: { FAKE_SECRET: 'header-secret' },
        files: [{ name: 'cookies.txt', content: 'secret' }],
      };
    },
    parseLine: (line) => (line.includes('target') ? { targetMs: PIECE_MS } : undefined),
    explainExit: ({ exitCode, signal }) =>
      explanations[exitCode ?? -1] ?? {
        ...{ fault: 'tool', retry: true, sentence: 'it fell' },
        why: signal === undefined ? `exit.${exitCode ?? -1}` : `signal.${signal}`,
      },
  };
}

export const LINK: ResolvedLink = {
  ...{ kind: 'dash', url: new URL('https://host/live.mpd'), headers: {}, formats: [] },
};

/** The parts of a recording by a fake program, in no cage. */
export const fakeParts = ({
  behaviours,
  limits,
  resolve = async () => LINK,
}: LifeOptions): ProgramParts => ({
  plugin: fakePlugin(behaviours),
  tool: { path: process.execPath, version: '1' },
  resolve,
  cage: openCage,
  gate: openGate,
  sharedNetwork: async () => openNetwork,
  rules: { permits: () => true },
  limits: { ...LIMITS, ...limits },
  nodePath: process.execPath,
  marker: { KENNEL_TEST: '1' },
});

export const lifeSpec = (directory: string): JobSpec => ({
  ...{ url: LINK.url.href, quality: ['best'], waitMs: 0, patienceMs: 2_000 },
  ...{ output: directory, keepSegments: true, headers: { 'X-Key': 'header-secret' } },
});

let lives = 0;

/** A recording by a fake program, with a real journal and real processes. */
export async function live(options: LifeOptions): Promise<Life> {
  const directory = await mkdtemp(path.join(tmpdir(), 'kennel-life-'));
  const jobId = `life-${process.pid}-${++lives}`;
  let output: CountingOutput | undefined;
  const parts: ProgramParts = {
    ...fakeParts(options),
    output: (given) => {
      output = new CountingOutput(given);
      options.output?.(output);
      return output;
    },
  };
  const spec = { ...lifeSpec(directory), ...options.spec };
  const recorder = recorderOf(
    programRecording(parts),
    () => 'fake',
  )({
    job: { id: jobId, attempt: 1, spec },
    directory,
    clock: systemClock,
    random: () => 0.5,
    onStarted: () => undefined,
    log: () => undefined,
  });
  onTestFinished(async () => {
    recorder.kill('the test is over');
    await recorder.exited;
    await rm(directory, { recursive: true, force: true });
  });
  const living = () => processesWithEnvironment('KENNEL_JOB', jobId);
  await expect.poll(() => output).toBeDefined();
  if (output === undefined) throw new Error('there is no output');
  const media = output;
  return {
    ...{ recorder, output: media, directory, jobId, living },
    hasMedia: () => expect.poll(() => media.bytes, { timeout: 20_000 }).toBeGreaterThan(0),
    exited: async () => {
      const exit = await recorder.exited;
      expect(await living()).toEqual([]);
      expect(existsSync(path.join(directory, 'work'))).toBe(false);
      expect(media.ends).toBe(media.runs);
      expect(readdirSync(directory)).toEqual(['journal.ndjson']);
      return exit;
    },
  };
}
