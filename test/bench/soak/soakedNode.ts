import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kennelHome } from '../../support/kennel.ts';
import {
  type Inside,
  type NodeEnded,
  type NodeNews,
  type NodeOrder,
  nodeNews,
} from './protocol.ts';

const MAIN = join(import.meta.dirname, 'kennelNode.ts');
/** Closing takes a second or two. */
const END_MS = 15_000;

/** One recording of the node. */
export interface SoakedJob {
  /** Its directory, once it was submitted. */
  recording: string | undefined;
  /** The recorder is through; its file may still be made. */
  readonly recorded: Promise<void>;
  readonly ended: Promise<NodeEnded>;
}

interface Hearing {
  readonly job: SoakedJob;
  recorded(): void;
  ended(news: NodeEnded): void;
}

/** The Kennel that is soaked: its supervisor, a child of ours, and whatever hosts that starts. */
export class SoakedNode {
  readonly home = kennelHome();
  readonly #jobs = new Map<number, Hearing>();
  readonly #figures: ((inside: Inside) => void)[] = [];
  #child: ChildProcess | undefined;

  async start(): Promise<void> {
    const { PATH = '', DATABASE_URL } = process.env;
    const child = fork(MAIN, [], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: ['--expose-gc'],
      env: {
        PATH,
        HOME: this.home.directory,
        KENNEL_DATA_DIR: this.home.dataDir,
        ...(DATABASE_URL !== undefined && { DATABASE_URL }),
      },
    });
    this.#child = child;
    await once(child, 'message');
    child.on('message', (message) => this.#hear(nodeNews.parse(message)));
    child.once('exit', () => {
      for (const [number, { ended }] of this.#jobs) {
        ended({ news: 'ended', number, exitCode: null, said: 'the Kennel node died' });
      }
    });
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  record(url: string, output: string): SoakedJob {
    const number = this.#jobs.size;
    const recorded = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<NodeEnded>();
    const job = { recording: undefined, recorded: recorded.promise, ended: ended.promise };
    this.#jobs.set(number, { job, recorded: recorded.resolve, ended: ended.resolve });
    this.#say({ do: 'record', number, url, output });
    return job;
  }

  /** The supervisor's own account. */
  inside(): Promise<Inside> {
    this.#say({ do: 'tell' });
    return new Promise((resolve) => this.#figures.push(resolve));
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child?.connected) {
      const exit = once(child, 'exit');
      this.#say({ do: 'end' });
      await Promise.race([exit, sleep(END_MS, undefined, { ref: false })]);
    }
    for (const pid of this.home.processes()) process.kill(pid, 'SIGKILL');
    this.home.remove();
  }

  #say(order: NodeOrder): void {
    this.#child?.send(order);
  }

  #hear(news: NodeNews): void {
    switch (news.news) {
      case 'ready':
        return;
      case 'figures':
        this.#figures.shift()?.(news);
        return;
      case 'begun': {
        const hearing = this.#jobs.get(news.number);
        if (hearing) hearing.job.recording = news.recording;
        return;
      }
      case 'recorded':
        this.#jobs.get(news.number)?.recorded();
        return;
      case 'ended': {
        const hearing = this.#jobs.get(news.number);
        hearing?.recorded();
        hearing?.ended(news);
        return;
      }
    }
  }
}
