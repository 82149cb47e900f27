/**
 * Kennel as one node with many jobs, in a process of its own: what `kennel record` composes, submits to and waits for. It is
 * told about jobs over IPC, and tells how each goes, and how the process itself is.
 */
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

async function run({ number, url, output }: Extract<NodeOrder, { do: 'record' }>): Promise<void> {
  const { node } = kennel;
  try {
    const { jobId } = await node.submit(jobSpec({ url, output }));
    const exit = Promise.withResolvers<number>();
    const unsubscribe = node.feed.subscribe((event) => {
      if (event.jobId !== jobId) return;
      if (event.type === 'job.ended') exit.resolve(event.exitCode);
      if (event.type === 'job.moved' && event.to === 'muxing') tell({ news: 'recorded', number });
    });
    tell({ news: 'begun', number, recording: recordingDirectory(config.dataDir, jobId) });
    const job = await node.ended(jobId);
    const said = [job.state, job.outcome, job.verdict, job.ending].filter(Boolean).join(' ');
    const exitCode = await exit.promise;
    unsubscribe();
    tell({ news: 'ended', number, exitCode, said });
  } catch (error) {
    tell({ news: 'ended', number, exitCode: null, said: messageOf(error) });
  }
}

function tellFigures(): void {
  globalThis.gc?.();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  tell({ news: 'figures', heapBytes: process.memoryUsage().heapUsed, resources });
}

process.on('message', (message) => {
  const order = nodeOrder.parse(message);
  if (order.do === 'record') void run(order);
  else if (order.do === 'tell') tellFigures();
  else void kennel.stop().then(() => process.disconnect?.());
});
process.on('disconnect', () => void kennel.stop());
tell({ news: 'ready' });
