import type { CliContext } from '../context.ts';
import { type OrderOptions, order } from '../remote/order.ts';

/** `kennel stop ID`: it finishes well. */
export const stop = async (context: CliContext, options: OrderOptions): Promise<number> =>
  await order(context, options, ({ api }, param) =>
    api.jobs[':jobId'].stop.$post({ param, header: {} }),
  );
