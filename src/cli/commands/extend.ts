import { systemClock } from '../../core/clock.ts';
import { KennelError } from '../../core/errors.ts';
import type { CliContext } from '../context.ts';
import { durationMs } from '../duration.ts';
import { isoMoment } from '../moment.ts';
import { type OrderOptions, order } from '../remote/order.ts';

export interface ExtendOptions extends OrderOptions {
  readonly by?: string;
  readonly duration?: string;
  readonly until?: string;
}

/** `kennel extend ID --by 30m`: moves the end of a job. */
export async function extend(context: CliContext, options: ExtendOptions): Promise<number> {
  const json = wishOf(options);
  return await order(context, options, ({ api }, param) =>
    api.jobs[':jobId'].extend.$post({ param, header: {}, json }),
  );
}

function wishOf({ by, duration, until }: ExtendOptions) {
  const given = [by, duration, until].filter((one) => one !== undefined);
  if (given.length === 1) {
    if (by !== undefined) return { moreSeconds: durationMs(by) / 1_000 };
    if (duration !== undefined) return { durationSeconds: durationMs(duration) / 1_000 };
    if (until !== undefined) return { endAt: isoMoment(until, systemClock.now()) };
  }
  throw new KennelError(
    'usage.invalid',
    'Say what the end is: --by 30m (so much longer), --duration 2h (so long in all), or --until 22:00.',
  );
}
