import type { JobBody } from '../remote/jobBody.ts';

/** A job as a list has it, here or at a service. */
export interface JobRow {
  readonly id: string;
  readonly state: string;
  readonly outcome?: string | undefined;
  readonly waiting?: boolean | undefined;
  readonly verdict?: string | undefined;
  readonly ending?: string | undefined;
  /** Milliseconds since the epoch, or ISO 8601. */
  readonly createdAt: number | string;
  readonly spec: { readonly url: string };
}

/** One job, one line. */
export const jobLine = (job: JobRow): string =>
  [
    job.id,
    stateText(job).padEnd(16),
    new Date(job.createdAt).toISOString().slice(0, 19),
    job.verdict ?? job.ending ?? '',
    job.spec.url,
  ].join('  ');

/** `done/gaps`, `waiting`: one that stands in the queue says so. */
export const stateText = ({ state, outcome, waiting }: Omit<JobRow, 'spec'>): string => {
  if (waiting === true) return 'waiting';
  return outcome === undefined ? state : `${state}/${outcome}`;
};

const LABEL_WIDTH = 11;

/** All that matters of one job, for a person. */
export function jobLines(job: JobBody): string[] {
  const { id, spec, priority, labels, runAt, expiresAt, retryOf, cause, recorded } = job;
  const named = Object.entries(labels).map(([name, value]) => `${name}:${value}`);
  const rows: readonly (readonly [label: string, text: string | undefined])[] = [
    ['job', id],
    ['state', `${stateText(job)}${cause === undefined ? '' : ` (${cause})`}`],
    ['link', spec.url],
    ['may begin', job.waiting ? runAt : undefined],
    ['expires', expiresAt],
    ['ends', endText(spec)],
    ['priority', priority === 0 ? undefined : String(priority)],
    ['labels', named.length > 0 ? named.join(' ') : undefined],
    ['again', retryOf === undefined ? undefined : `the try after ${retryOf}`],
    ['recorded', recorded && `${recorded.segments} segments, ${recorded.lost} lost`],
  ];
  return rows.flatMap(([label, text]) =>
    text === undefined ? [] : [`${label.padEnd(LABEL_WIDTH)}${text}`],
  );
}

function endText({ durationSeconds, endAt }: JobBody['spec']): string | undefined {
  const ends = [
    ...(durationSeconds === undefined ? [] : [`after ${durationSeconds} s`]),
    ...(endAt === undefined ? [] : [`at ${endAt}`]),
  ];
  return ends.length > 0 ? ends.join(', or ') : undefined;
}
