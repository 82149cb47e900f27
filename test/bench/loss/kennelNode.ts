/**
 * Kennel as one node with many jobs: what `kennel record` composes, submits to and waits for, in a process of its own. It is told
 * about jobs over IPC and answers with how each ended.
 */
import { compose } from '../../../src/compose.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { messageOf } from '../../../src/core/errors.ts';
import { jobSpec } from '../../../src/jobs/jobRequest.ts';
import { recordingDirectory } from '../../../src/jobs/recordings.ts';
import { type KennelJob, type KennelJobEnded, kennelJob } from './kennelProtocol.ts';

const config = loadConfig(process.env);
const kennel = await compose(config);
await kennel.start();

const tell = (message: KennelJobEnded | 'ready'): unknown => process.send?.(message);

async function run({ number, url, output, fallbackUrl, dual }: KennelJob): Promise<void> {
  try {
    const spec = jobSpec({
      url,
      output,
      // The origin has many doors, each at a port of its own.
      allow: ['127.0.0.0/8'],
      ...(fallbackUrl !== undefined && { fallbacks: [fallbackUrl], dual }),
    });
    const exits = new Promise<number>((resolve) => {
      kennel.node.feed.subscribe((event) => {
        if (event.type === 'job.ended' && event.jobId === jobIds.get(number)) {
          resolve(event.exitCode);
        }
      });
    });
    const { jobId } = await kennel.node.submit(spec);
    jobIds.set(number, jobId);
    const job = await kennel.node.ended(jobId);
    const said = [job.state, job.outcome, job.verdict, job.ending].filter(Boolean).join(' ');
    const recording = recordingDirectory(config.dataDir, jobId);
    tell({ number, exitCode: await exits, recording, said });
  } catch (error) {
    tell({ number, exitCode: null, recording: undefined, said: messageOf(error) });
  }
}

const jobIds = new Map<number, string>();
process.on('message', (message) => {
  if (message === 'end') void kennel.stop().then(() => process.disconnect?.());
  else void run(kennelJob.parse(message));
});
process.on('disconnect', () => void kennel.stop());
tell('ready');
