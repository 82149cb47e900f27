import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kennelHome } from '../../support/kennel.ts';
import { ORIGIN_CERTIFICATE } from '../../support/origin/certificate.ts';
import type { Ending } from './ending.ts';
import { type KennelJobEnded, kennelJobEnded } from './kennelProtocol.ts';
import type { Stage } from './stage.ts';
import { whenBegun } from './whenBegun.ts';

/** A job that has not ended so long after its stream is taken for hung: a source may be silent for two minutes. */
const HANG_AFTER_MS = 150_000;
/** Opening the embedded database and the first request, on a loaded machine. */
const START_MS = 60_000;

const MAIN = join(import.meta.dirname, 'kennelNode.ts');

/** One Kennel process tree that runs all jobs of the bench, as a node does, with the embedded database. */
export class KennelUnderTest {
  readonly #home = kennelHome();
  readonly #waiting = new Map<number, (ended: KennelJobEnded) => void>();
  readonly #environment: Record<string, string>;
  /** For the command line; made beforehand, since copying a database takes a while. */
  readonly #spare = kennelHome();
  #child: ChildProcess | undefined;
  #jobs = 0;

  constructor(ffmpeg: string | undefined) {
    const authority = this.#home.file('authority.pem');
    writeFileSync(authority, ORIGIN_CERTIFICATE);
    this.#environment = {
      NODE_EXTRA_CA_CERTS: authority,
      ...(ffmpeg !== undefined && { KENNEL_FFMPEG: ffmpeg }),
    };
  }

  async start(): Promise<void> {
    const { PATH = '' } = process.env;
    const child = fork(MAIN, [], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: {
        PATH,
        HOME: this.#home.directory,
        KENNEL_DATA_DIR: this.#home.dataDir,
        ...this.#environment,
      },
    });
    this.#child = child;
    await once(child, 'message');
    child.on('message', (message) => {
      const ended = kennelJobEnded.parse(message);
      this.#waiting.get(ended.number)?.(ended);
    });
    child.once('exit', () => {
      for (const [number, end] of this.#waiting) {
        end({ number, exitCode: null, said: 'the Kennel node died' });
      }
    });
  }

  /** Records a stage: as a job of the node, or, where the recorder is to be killed, with the command line itself. */
  async record(stage: Stage): Promise<Ending> {
    return stage.scenario.kill
      ? await this.#command(stage, stage.scenario.kill)
      : await this.#job(stage);
  }

  async stop(): Promise<void> {
    if (this.#child?.connected) {
      const exit = once(this.#child, 'exit');
      this.#child.send('end');
      await Promise.race([exit, sleep(10_000)]);
    }
    for (const pid of [...this.#home.processes(), ...this.#spare.processes()])
      process.kill(pid, 'SIGKILL');
    this.#spare.remove();
    this.#home.remove();
  }

  async #job({ scenario, url, fallbackUrl, picture }: Stage): Promise<Ending> {
    const number = this.#jobs++;
    const directory = this.#home.file(scenario.name);
    mkdirSync(directory);
    const { promise, resolve } = Promise.withResolvers<KennelJobEnded>();
    this.#waiting.set(number, resolve);
    const dual = scenario.fallback?.dual ?? false;
    this.#child?.send({ number, url, output: join(directory, 'show.mp4'), fallbackUrl, dual });
    await Promise.race([whenBegun(picture.clock, START_MS), promise]);
    const leftMs = picture.endsAtMs - picture.clock.elapsedMs() + HANG_AFTER_MS;
    const ended = await Promise.race([promise, sleep(leftMs, undefined, { ref: false })]);
    this.#waiting.delete(number);
    return {
      exitCode: ended?.exitCode ?? null,
      hung: ended === undefined,
      files: mediaIn(directory),
      said: ended?.said ?? 'it did not end',
      ...(ended?.recording !== undefined && { recording: ended.recording }),
    };
  }

  async #command(stage: Stage, kill: { atMs: number; againAfterMs: number }): Promise<Ending> {
    const home = this.#spare;
    const args = ['record', stage.url, '-o', home.file('out/show.mp4')];
    const { picture } = stage;
    mkdirSync(home.file('out'));
    const first = home.start(args, this.#environment);
    await Promise.race([whenBegun(picture.clock, START_MS), first.ended]);
    await sleep(kill.atMs);
    for (const pid of home.processes()) process.kill(pid, 'SIGKILL');
    await first.ended;
    await sleep(kill.againAfterMs);
    const second = home.start(args, this.#environment);
    const ran = await Promise.race([second.ended, sleep(HANG_AFTER_MS, undefined, { ref: false })]);
    for (const pid of ran === undefined ? home.processes() : []) process.kill(pid, 'SIGKILL');
    const [recording] = home.recordings();
    return {
      exitCode: ran?.code ?? null,
      hung: ran === undefined,
      files: mediaIn(home.file('out')),
      said: second.said(),
      ...(recording !== undefined && { recording }),
    };
  }
}

const mediaIn = (directory: string): string[] =>
  globSync(join(directory, '**/*.{mp4,m4a,mkv,ts}')).toSorted();
