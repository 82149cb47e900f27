import { readFileSync } from 'node:fs';
import { compose } from '../../../src/compose.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { jobSpec } from '../../../src/jobs/jobRequest.ts';

/**
 * A Kennel that records many streams: everything that `kennel record` starts, with one job for each line of a file. On
 * SIGINT it kills all jobs, since what follows a recording (joining, verifying) is not what is measured.
 */
const [list = '', output = ''] = process.argv.slice(2);
const urls = readFileSync(list, 'utf8').trim().split('\n');
const kennel = await compose(loadConfig(process.env));
await kennel.start();
const { node } = kennel;
const isAsked = new Promise((resolve) => process.once('SIGINT', resolve));
const jobs: string[] = [];
for (const [index, url] of urls.entries()) {
  const { jobId } = await node.submit(jobSpec({ url, output: `${output}/${index}.mp4` }));
  jobs.push(jobId);
}
await isAsked;
const ended = jobs.map((jobId) => node.ended(jobId).catch(() => undefined));
for (const jobId of jobs) node.kill(jobId);
await Promise.all(ended);
await kennel.stop();
