import type { CliContext } from '../context.ts';
import { type OrderOptions, order } from '../remote/order.ts';

/** `kennel kill ID`: now; what is on the disk stays there. */
export const kill = async (context: CliContext, options: OrderOptions): Promise<number> =>
  await order(context, options, ({ api }, param) =>
    api.jobs[':jobId'].kill.$post({ param, header: {} }),
  );
