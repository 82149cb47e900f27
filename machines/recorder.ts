import { fromCallback } from 'xstate';
import type { Job, Ports, RecorderNews } from './ports.ts';

export type RecorderOrder =
  | { readonly type: 'recorder.stop'; readonly why: string }
  | { readonly type: 'recorder.kill'; readonly why: string };

/**
 * Holds the job's recorder: adopts a live one, else starts one, and passes on its news. It never owns the process: when it
 * is stopped without an order (its Big Dog threw), the recorder goes on and the next holder adopts it.
 */
export const recorder = ({ leash }: Pick<Ports, 'leash'>) =>
  fromCallback<RecorderOrder, { job: Job }>(({ input, sendBack, receive }) => {
    const hold = leash.take(input.job, (news: RecorderNews) => sendBack(news));
    receive((order) => {
      if (order.type === 'recorder.kill') hold.kill(order.why);
      else hold.stop(order.why);
    });
    return hold.release;
  });
