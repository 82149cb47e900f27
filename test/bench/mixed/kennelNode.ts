/** Kennel as one node with many jobs, in a process of its own: told about jobs over IPC, it tells how each goes. */
import { compose } from '../../../src/compose.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { messageOf } from '../../../src/core/errors.ts';
import { jobSpec } from '../../../src/jobs/jobRequest.ts';
import { recordingDirectory } from '../../../src/jobs/recordings.ts';
import { type NodeNews, type NodeOrder, nodeOrder } from './protocol.ts';

const config = loadConfig(process.env);
const kennel = await compose(config);
await kennel.start();

const tell = (news: NodeNews): unknown => process.send?.(news);

async function run(order: Extract<NodeOrder, { do: 'record' }>): Promise<void> {
  const { do: _, number, ...request } = order;
  const { node } = kennel;
  try {
    const allow = ['127.0.0.0/8'];
    const { jobId } = await node.submit(jobSpec({ ...request, allow, keepSegments: true }));
    const end =
      Promise.withResolvers<Pick<Extract<NodeNews, { news: 'ended' }>, 'exitCode' | 'files'>>();
    const unsubscribe = node.feed.subscribe((event) => {
      if (event.jobId === jobId && event.type === 'job.ended') end.resolve(event);
    });
    tell({ news: 'begun', number, jobId, recording: recordingDirectory(config.dataDir, jobId) });
    const job = await node.ended(jobId);
    const said = [job.state, job.outcome, job.verdict, job.ending].filter(Boolean).join(' ');
    const { exitCode, files } = await end.promise;
    unsubscribe();
    tell({ news: 'ended', number, exitCode, files, said });
  } catch (error) {
    tell({ news: 'ended', number, exitCode: null, files: [], said: messageOf(error) });
  }
}

process.on('message', (message) => {
  const order = nodeOrder.parse(message);
  if (order.do === 'record') void run(order);
  else void kennel.stop().then(() => process.disconnect?.());
});
process.on('disconnect', () => void kennel.stop());
tell({ news: 'ready' });
