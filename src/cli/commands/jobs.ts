import { isJobState, JOB_STATES, type JobState } from '../../../machines/vocabulary.ts';
import type { KennelClient } from '../../client/kennelClient.ts';
import { loadConfig } from '../../config/load.ts';
import { KennelError } from '../../core/errors.ts';
import { shownSpec } from '../../jobs/jobView.ts';
import type { CliContext } from '../context.ts';
import { type JobRow, jobLine } from '../lines/jobLines.ts';
import { demandServer, findServer, type ServerOptions } from '../remote/server.ts';

export interface JobsOptions extends ServerOptions {
  readonly limit: string;
  readonly state: readonly string[];
  /** `name:value`. Only a service knows labels. */
  readonly label: readonly string[];
  readonly json?: boolean;
}

const LIMIT_MAX = 1_000;
/** As many as the API gives at once. */
const PAGE = 200;

/** `kennel jobs`: newest first. */
export async function jobs(context: CliContext, options: JobsOptions): Promise<number> {
  const { terminal } = context;
  const { label } = options;
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX)
    throw new KennelError('usage.invalid', `--limit takes a whole number from 1 to ${LIMIT_MAX}.`);
  const states = statesOf(options.state);
  const server = await (label.length > 0 ? demandServer : findServer)(context, options);
  const rows = server
    ? await rowsBy(server, { limit, states, label })
    : await rowsHere(context, options, { limit, states });
  for (const row of rows) terminal.out(options.json ? JSON.stringify(row) : jobLine(row));
  return 0;
}

interface Wish {
  readonly limit: number;
  readonly states: readonly JobState[];
}

async function rowsBy(
  { api, pages }: KennelClient,
  { limit, states, label }: Wish & { readonly label: readonly string[] },
): Promise<readonly JobRow[]> {
  const query = {
    limit: String(Math.min(limit, PAGE)),
    ...(states.length > 0 && { state: [...states] }),
    ...(label.length > 0 && { label: [...label] }),
  };
  const rows: JobRow[] = [];
  for await (const page of pages((cursor) => api.jobs.$get({ query: { ...query, ...cursor } }))) {
    rows.push(...page.jobs);
    if (rows.length >= limit) break;
  }
  return rows.slice(0, limit);
}

async function rowsHere(
  context: CliContext,
  { dataDir }: ServerOptions,
  { limit, states }: Wish,
): Promise<readonly JobRow[]> {
  const config = loadConfig(context.env, dataDir === undefined ? {} : { dataDir });
  const kennel = await context.compose(config);
  try {
    const { records } = kennel;
    const wishes = states.length > 0 ? states.map((state) => ({ limit, state })) : [{ limit }];
    const lists = await Promise.all(wishes.map((wish) => records.list(wish)));
    return lists
      .flat()
      .sort((one, other) => other.createdAt - one.createdAt)
      .slice(0, limit)
      .map((job) => ({ ...job, spec: shownSpec(job.spec) }));
  } finally {
    await kennel.stop();
  }
}

const statesOf = (names: readonly string[]): readonly JobState[] =>
  names.map((name) => {
    if (isJobState(name)) return name;
    throw new KennelError('usage.invalid', `--state takes one of ${JOB_STATES.join(', ')}.`);
  });
