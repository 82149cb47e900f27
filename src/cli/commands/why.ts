import { loadConfig } from '../../config/load.ts';
import { mergeHistories } from '../../jobs/mergeHistories.ts';
import { ledgerOf, recordingDirectory } from '../../jobs/recordings.ts';
import type { GapCause } from '../../ledger/record.ts';
import type { CliContext } from '../context.ts';

export interface WhyOptions {
  readonly id: string;
  readonly dataDir?: string;
  readonly json?: boolean;
}

/** Gaps that programs leave, which nobody decided on and nobody can fetch again. */
const CAUSES_OF_PROGRAMS: ReadonlySet<GapCause> = new Set(['recorder.down', 'skipped']);

/** `kennel why ID`: moves and decisions, and the gaps that programs left, in the order in which they came about. */
export async function why(context: CliContext, { id, dataDir, json }: WhyOptions): Promise<number> {
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
      ({ at, dog, decision, why, evidence }) => ({
        at,
        what: `${dog}: ${decision}`,
        why,
        evidence,
      }),
    );
    const gaps = await gapsOfPrograms(recordingDirectory(config.dataDir, job.id));
    for (const { at, ...told } of mergeHistories([moves, decisions, gaps])) {
      const date = new Date(at).toISOString();
      if (json) context.terminal.out(JSON.stringify({ at: date, ...told }));
      else for (const line of linesOf({ date, ...told })) context.terminal.out(line);
    }
    return 0;
  } finally {
    await kennel.stop();
  }
}

/** One line, and below it the last lines that a program said. */
function linesOf({ date, what, why: reason, evidence }: ToldMove): string[] {
  const { stderrTail, ...facts } = evidence;
  const head = `${date}  ${what.padEnd(28)} ${reason.padEnd(20)} ${JSON.stringify(facts)}`;
  const said = typeof stderrTail === 'string' ? stderrTail.split('\n') : [];
  return [head, ...said.filter((line) => line !== '').map((line) => `    | ${line}`)];
}

interface ToldMove {
  readonly date: string;
  readonly what: string;
  readonly why: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** In the order in which they were named, which is that of the journal: programs heal none. */
async function gapsOfPrograms(directory: string) {
  return (await ledgerOf(directory)).gaps().flatMap((gap) => {
    const { at, track, epoch, msn, count, cause, detail, durationMs, estimated } = gap;
    if (!CAUSES_OF_PROGRAMS.has(cause)) return [];
    const facts = { track, epoch, msn, count, durationMs, detail };
    const evidence = { ...facts, ...(estimated && { estimated }) };
    return [{ at, what: `gap of ${(durationMs / 1_000).toFixed(1)} s`, why: cause, evidence }];
  });
}
