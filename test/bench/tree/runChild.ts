import { fork } from 'node:child_process';
import type { Configuration } from './configuration.ts';
import type { Measurement } from './measurement.ts';

const CHILD = new URL('./child.ts', import.meta.url);

/**
 * Measures one configuration in a child process of its own.
 *
 * @param profileDirectory where the child writes a CPU profile (`*.cpuprofile`), if anywhere. Profiling has its own cost:
 *   do not quote the figures of such a run.
 */
export async function runChild(
  configuration: Configuration,
  { profileDirectory }: { profileDirectory?: string | undefined },
): Promise<Measurement> {
  const profiling = profileDirectory
    ? ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`, '--cpu-prof-interval=500']
    : [];
  const child = fork(CHILD, { execArgv: ['--expose-gc', ...profiling] });
  const { promise, resolve, reject } = Promise.withResolvers<Measurement>();
  // `child.ts` sends nothing else.
  child.once('message', (measurement) => resolve(measurement as unknown as Measurement));
  child.once('error', reject);
  const exited = new Promise<void>((done) => {
    child.once('exit', (code) => {
      reject(new Error(`the child ended without figures, exit code ${code}`));
      done();
    });
  });
  child.send(configuration);
  const measurement = await promise;
  await exited;
  return measurement;
}
