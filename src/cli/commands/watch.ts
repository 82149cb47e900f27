import type { ServiceEvent } from '../../client/kennelClient.ts';
import type { CliContext } from '../context.ts';
import { findJob } from '../remote/findJob.ts';
import { follow, kennelEvent } from '../remote/follow.ts';
import { demandServer, type ServerOptions } from '../remote/server.ts';
import { sentenceOf } from '../run/sentences.ts';
import { listenForSignals } from '../run/signals.ts';

export interface WatchOptions extends ServerOptions {
  /** Absent: everything that the key may see. */
  readonly id?: string | undefined;
  readonly type: readonly string[];
  readonly after?: string;
  readonly json?: boolean;
}

/** `kennel watch [ID]`: a job until it has ended, or everything until a signal. */
export async function watch(context: CliContext, options: WatchOptions): Promise<number> {
  const client = await demandServer(context, options);
  const { id, type: types, after, json } = options;
  const jobId = id === undefined ? undefined : await findJob(client, id);
  if (jobId !== undefined && types.length === 0 && after === undefined && !json) {
    // What it told before is told no more: `kennel why` has it.
    context.terminal.err(`watches the job ${jobId} until it has ended`);
    return await follow(context, { client, jobId });
  }
  const signals = listenForSignals();
  const over = new AbortController();
  void signals.first.then(() => over.abort());
  const { terminal } = context;
  try {
    const events = client.events({
      ...{ jobId, types, after, signal: over.signal },
      onLost: (why, delayMs) =>
        terminal.err(`${why}; listens again in ${Math.ceil(delayMs / 1_000)} s`),
    });
    for await (const event of events) {
      const line = json ? JSON.stringify(event) : eventLine(event);
      if (line !== undefined) terminal.out(line);
    }
    return 0;
  } finally {
    signals.stop();
  }
}

/** Undefined for what comes every second: with `--json` there is everything. */
function eventLine(event: ServiceEvent): string | undefined {
  const known = kennelEvent(event);
  if (event.type === 'segment.stored') return undefined;
  const said = known && sentenceOf(known);
  const told = said ?? `${event.type} ${JSON.stringify(event.data)}`;
  return `${event.at}  ${(event.jobId ?? 'node').slice(-8).padEnd(8)}  ${told}`;
}
