import type { CliContext } from '../context.ts';
import { type OrderOptions, order } from '../remote/order.ts';

/** `kennel retry ID`: another try of a job that has ended, as a new job. */
export const retry = async (context: CliContext, options: OrderOptions): Promise<number> =>
  await order(context, options, ({ api }, param) => api.jobs[':jobId'].retry.$post({ param }));
