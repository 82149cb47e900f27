import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kennelHome } from '../../support/kennel.ts';
import { type NodeEnded, type NodeOrder, nodeNews } from './protocol.ts';

const MAIN = join(import.meta.dirname, 'kennelNode.ts');
/** Closing takes a second or two. */
const END_MS = 20_000;

export interface MixedJob {
  jobId: string | undefined;
  recording: string | undefined;
  readonly ended: Promise<NodeEnded>;
}

/** The Kennel that has the ten jobs: its supervisor, a child of ours, and whatever that starts. */
export class MixedNode {
  readonly home = kennelHome();
  readonly #jobs: { readonly job: MixedJob; end(news: NodeEnded): void }[] = [];
  #child: ChildProcess | undefined;

  async start(): Promise<void> {
    const { PATH = '', DATABASE_URL, KENNEL_SANDBOX } = process.env;
    const child = fork(MAIN, [], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: {
        PATH,
        HOME: this.home.directory,
        KENNEL_DATA_DIR: this.home.dataDir,
        ...(DATABASE_URL !== undefined && { DATABASE_URL }),
        ...(KENNEL_SANDBOX !== undefined && { KENNEL_SANDBOX }),
      },
    });
    this.#child = child;
    await once(child, 'message');
    child.on('message', (message) => {
      const news = nodeNews.parse(message);
      if (news.news === 'ready') return;
      const hearing = this.#jobs[news.number];
      if (news.news === 'ended') hearing?.end(news);
      else if (hearing)
        Object.assign(hearing.job, { jobId: news.jobId, recording: news.recording });
    });
    child.once('exit', () => {
      for (const [number, { end }] of this.#jobs.entries())
        end({ news: 'ended', number, exitCode: null, files: [], said: 'the Kennel node died' });
    });
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  record(request: Omit<Extract<NodeOrder, { do: 'record' }>, 'do' | 'number'>): MixedJob {
    const ended = Promise.withResolvers<NodeEnded>();
    const job: MixedJob = { jobId: undefined, recording: undefined, ended: ended.promise };
    const number = this.#jobs.push({ job, end: ended.resolve }) - 1;
    this.#say({ do: 'record', number, ...request });
    return job;
  }

  /** Ends the node; what still lives then is left to whoever counts it. */
  async end(): Promise<void> {
    const child = this.#child;
    if (!child?.connected) return;
    const exit = once(child, 'exit');
    this.#say({ do: 'end' });
    await Promise.race([exit, sleep(END_MS, undefined, { ref: false })]);
  }

  remove(): void {
    for (const pid of this.home.processes()) process.kill(pid, 'SIGKILL');
    this.home.remove();
  }

  #say(order: NodeOrder): void {
    this.#child?.send(order);
  }
}
