import { isTerminal } from '../../../machines/vocabulary.ts';
import type { KennelClient, ServiceEvent } from '../../client/kennelClient.ts';
import { systemClock as clock, pause } from '../../core/clock.ts';
import { isKennelError } from '../../core/errors.ts';
import { EVENT_VERSION, eventSchema, type KennelEvent } from '../../jobs/events.ts';
import { exitCodeOfJob } from '../../jobs/exitCode.ts';
import type { CliContext } from '../context.ts';
import { eventTeller } from '../run/eventTeller.ts';
import { listenForSignals } from '../run/signals.ts';
import { StatusLine } from '../run/statusLine.ts';
import type { JobBody } from './jobBody.ts';

export interface FollowOptions {
  readonly client: KennelClient;
  readonly jobId: string;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** `job.ended` comes after the last move, once it is known which files there are; it is not in the log, so it may be missed. Milliseconds. */
const END_TOLD_WITHIN_MS = 1_000;
const STATUS_MS = 2_000;

/**
 * Tells of a job of a service as `record` tells of its own, until it has ended. A signal ends the telling alone; the job goes on.
 *
 * @returns the job's exit code, or 128 and the number of the signal
 */
export async function follow(context: CliContext, options: FollowOptions): Promise<number> {
  const { terminal } = context;
  const { jobId } = options;
  const signals = listenForSignals();
  const following = new Following(context, options);
  void signals.first.then(() => {
    terminal.err(`the job goes on; "kennel stop ${jobId}" ends it well`);
    following.end();
  });
  try {
    return (await following.run()) ?? signals.exitCode() ?? 0;
  } finally {
    following.end();
    signals.stop();
  }
}

class Following {
  readonly #over = new AbortController();
  readonly #ended = Promise.withResolvers<number | undefined>();
  readonly #context: CliContext;
  readonly #options: FollowOptions;
  readonly #tell: (event: KennelEvent) => void;

  constructor(context: CliContext, options: FollowOptions) {
    this.#context = context;
    this.#options = options;
    this.#tell = eventTeller(context.terminal, options);
  }

  end(): void {
    this.#over.abort();
    this.#ended.resolve(undefined);
  }

  async run(): Promise<number | undefined> {
    this.#listen().catch(this.#ended.reject);
    const { terminal } = this.#context;
    const { json, quiet } = this.#options;
    if (terminal.isLive && !json && !quiet) void this.#showStatus();
    return await this.#ended.promise;
  }

  async #listen(): Promise<void> {
    const { client, jobId, quiet } = this.#options;
    const events = client.events({
      jobId,
      signal: this.#over.signal,
      // It may have ended before, or while nobody listened.
      onOpen: () => this.#lookForEnd(),
      onLost: (why, delayMs) => {
        if (!quiet)
          this.#context.terminal.err(`${why}; listens again in ${Math.ceil(delayMs / 1_000)} s`);
      },
    });
    for await (const event of events) this.#take(event);
  }

  #take(streamed: ServiceEvent): void {
    const event = kennelEvent(streamed);
    if (event === undefined || this.#over.signal.aborted) return;
    if (event.type === 'job.ended') {
      this.#finish(event);
      return;
    }
    this.#tell(event);
    if (event.type === 'job.moved' && isTerminal(event.to)) this.#lookForEnd();
  }

  #lookForEnd(): void {
    this.#endTold().catch(this.#ended.reject);
  }

  /** What `job.ended` would have told, from what can be asked. */
  async #endTold(): Promise<void> {
    const { signal } = this.#over;
    const { client, jobId } = this.#options;
    const before = await this.#job();
    if (!isTerminal(before.state)) return;
    await pause(clock, END_TOLD_WITHIN_MS, signal);
    if (signal.aborted) return;
    const { state, outcome, verdict, ending, updatedAt: at, cause } = before;
    const proof = await client.api.jobs[':jobId'].proof
      .$get({ param: { jobId } })
      .then((answer) => answer.json())
      .catch((error: unknown) => {
        if (isKennelError(error) && error.code === 'job.notFound') return {};
        throw error;
      });
    const told = verdict ?? (outcome === undefined ? cause : undefined);
    this.#finish({
      ...{ v: EVENT_VERSION, type: 'job.ended', at, jobId, state, outcome, proof, files: [] },
      verdict: told,
      exitCode: exitCodeOfJob({ state, outcome, verdict, ending }),
    });
  }

  #finish(event: Extract<KennelEvent, { type: 'job.ended' }>): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#context.terminal.status('');
    this.#tell(event);
    this.#ended.resolve(event.exitCode);
  }

  async #showStatus(): Promise<void> {
    const { terminal } = this.#context;
    const line = new StatusLine();
    const { signal } = this.#over;
    const isOver = () => signal.aborted;
    while (!isOver()) {
      const job = await this.#job().catch(() => undefined);
      const text = job && (await line.text(doing(job), clock.now()));
      if (text !== undefined && !isOver()) terminal.status(text);
      await pause(clock, STATUS_MS, signal);
    }
    terminal.status('');
  }

  async #job(): Promise<JobBody> {
    const { client, jobId } = this.#options;
    return await (await client.api.jobs[':jobId'].$get({ param: { jobId } })).json();
  }
}

function doing({ state, waiting, recorded }: JobBody) {
  const { bytes = 0, durationSeconds = 0, segments: stored = 0, lost = 0 } = recorded ?? {};
  const ledger = { bytes, durationMs: durationSeconds * 1_000, stored, lost };
  return { state: waiting ? 'waiting' : state, ledger };
}

/** As this process's own events are; undefined for what only services tell, and what only newer ones do. */
export function kennelEvent({ type, at, jobId, data }: ServiceEvent): KennelEvent | undefined {
  return eventSchema.safeParse({ v: EVENT_VERSION, type, at, jobId, ...data }).data;
}
