import { KennelError } from '../core/errors.ts';
import { durationMs } from './duration.ts';
import { wholeNumber } from './numbers.ts';
import type { NewJobBody } from './remote/jobBody.ts';

/** How a job stands in the queue of a service, as the command line has it. */
export interface TermOptions {
  readonly priority?: string;
  readonly retries?: string;
  readonly retryDelay?: string;
  readonly label: readonly string[];
  readonly allowDuplicate?: boolean;
  /** `--no-queue` makes it false: without room, the job is rejected at once. */
  readonly queue?: boolean;
}

type Terms = Pick<NewJobBody, 'priority' | 'labels' | 'mayWait' | 'allowDuplicate' | 'retry'>;

/** As the API has it. */
const PRIORITY_MAX = 100;
const RETRIES_MAX = 100;

/** @throws KennelError `usage.invalid` */
export function termsOf(options: TermOptions): Terms {
  const { priority, label, queue, allowDuplicate } = options;
  const retry = retryOf(options);
  return {
    ...(priority !== undefined && {
      priority: wholeNumber('--priority', priority, [-PRIORITY_MAX, PRIORITY_MAX]),
    }),
    ...(label.length > 0 && { labels: Object.fromEntries(label.map(labelOf)) }),
    ...(queue === false && { mayWait: false }),
    ...(allowDuplicate && { allowDuplicate }),
    ...(retry && { retry }),
  };
}

function retryOf({ retries, retryDelay }: TermOptions): NewJobBody['retry'] {
  if (retries === undefined && retryDelay !== undefined)
    throw new KennelError(
      'usage.invalid',
      '--retry-delay needs --retries: how often to try again.',
    );
  if (retries === undefined) return undefined;
  return {
    attempts: wholeNumber('--retries', retries, [0, RETRIES_MAX]),
    ...(retryDelay !== undefined && { delaySeconds: durationMs(retryDelay) / 1_000 }),
  };
}

function labelOf(text: string): readonly [name: string, value: string] {
  const [, name, value] = /^([^:=]+)[:=](.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new KennelError(
      'usage.invalid',
      `A label is written as --label name:value, not ${text}.`,
    );
  return [name, value];
}
