import type { KennelClient } from '../../client/kennelClient.ts';
import { loadConfig } from '../../config/load.ts';
import { mergeHistories } from '../../jobs/mergeHistories.ts';
import { ledgerOf, recordingDirectory } from '../../jobs/recordings.ts';
import type { CliContext } from '../context.ts';
import { historyLines } from '../lines/historyLines.ts';
import { findJob } from '../remote/findJob.ts';
import { findServer, type ServerOptions } from '../remote/server.ts';

export interface WhyOptions extends ServerOptions {
  readonly id: string;
  readonly json?: boolean;
}

interface Entry {
  readonly at: number;
  readonly what: string;
  readonly why: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** Gaps that programs leave, which nobody decided on and nobody can fetch again. */
const CAUSES_OF_PROGRAMS: ReadonlySet<string> = new Set(['recorder.down', 'skipped']);

/** `kennel why ID`: moves and decisions, and the gaps that programs left, in the order in which they came about. */
export async function why(context: CliContext, options: WhyOptions): Promise<number> {
  const server = await findServer(context, options);
  const histories = server
    ? await historiesBy(server, options.id)
    : await historiesHere(context, options);
  for (const { at, ...told } of mergeHistories(histories)) {
    const date = new Date(at).toISOString();
    if (options.json) context.terminal.out(JSON.stringify({ at: date, ...told }));
    else for (const line of historyLines({ date, ...told })) context.terminal.out(line);
  }
  return 0;
}

async function historiesBy({ api, pages }: KennelClient, id: string): Promise<Entry[][]> {
  const jobId = await findJob({ api, pages }, id);
  const asked = { param: { jobId } };
  const { transitions } = await (await api.jobs[':jobId'].transitions.$get(asked)).json();
  const { gaps } = await (await api.jobs[':jobId'].gaps.$get(asked)).json();
  return [
    transitions.map(({ at, kind, by, what, why: reason, evidence }) => ({
      at: Date.parse(at),
      what: kind === 'move' ? what : `${by}: ${what}`,
      why: reason,
      evidence,
    })),
    gaps.flatMap(({ at, durationSeconds, ...gap }) =>
      gapOfProgram({ ...gap, at: Date.parse(at), durationMs: durationSeconds * 1_000 }),
    ),
  ];
}

async function historiesHere(context: CliContext, { id, dataDir }: WhyOptions): Promise<Entry[][]> {
  const config = loadConfig(context.env, dataDir === undefined ? {} : { dataDir });
  const kennel = await context.compose(config);
  try {
    const { records } = kennel;
    const job = await records.findByPrefix(id);
    const moves = (await records.transitions(job.id)).map(({ at, from, to, cause, evidence }) => ({
      at,
      what: `${from} → ${to}`,
      why: cause,
      evidence,
    }));
    const decisions = (await records.decisions(job.id)).map(
      ({ at, dog, decision, why: reason, evidence }) => ({
        at,
        what: `${dog}: ${decision}`,
        why: reason,
        evidence,
      }),
    );
    // In the order in which they were named, which is that of the journal: programs heal none.
    const ledger = await ledgerOf(recordingDirectory(config.dataDir, job.id));
    return [moves, decisions, ledger.gaps().flatMap(gapOfProgram)];
  } finally {
    await kennel.stop();
  }
}

interface Gap {
  readonly at: number;
  readonly track: string;
  readonly epoch: number;
  readonly msn: number;
  readonly count: number;
  readonly cause: string;
  readonly detail: string;
  readonly durationMs: number;
  readonly estimated?: unknown;
}

function gapOfProgram(gap: Gap): Entry[] {
  const { at, track, epoch, msn, count, cause, detail, durationMs, estimated } = gap;
  if (!CAUSES_OF_PROGRAMS.has(cause)) return [];
  const facts = { track, epoch, msn, count, durationMs, detail };
  const evidence = { ...facts, ...(estimated !== undefined && { estimated }) };
  return [{ at, what: `gap of ${(durationMs / 1_000).toFixed(1)} s`, why: cause, evidence }];
}
