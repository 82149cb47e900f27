import { loadConfig } from '../../config/load.ts';
import type { CliContext } from '../context.ts';
import { mergeHistories } from '../mergeHistories.ts';

export interface WhyOptions {
  readonly id: string;
  readonly dataDir?: string;
  readonly json?: boolean;
}

/** `kennel why ID`: moves and decisions in the order in which they were made. */
export async function why(context: CliContext, { id, dataDir, json }: WhyOptions): Promise<number> {
  const kennel = await context.compose(
    loadConfig(context.env, dataDir === undefined ? {} : { dataDir }),
  );
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
    for (const { at, ...told } of mergeHistories([moves, decisions])) {
      const date = new Date(at).toISOString();
      context.terminal.out(
        json
          ? JSON.stringify({ at: date, ...told })
          : `${date}  ${told.what.padEnd(28)} ${told.why.padEnd(20)} ${JSON.stringify(told.evidence)}`,
      );
    }
    return 0;
  } finally {
    await kennel.stop();
  }
}
