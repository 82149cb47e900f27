import { parseArgs } from 'node:util';
import { systemClock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { StartRecorder } from '../../recording/recorder.ts';
import { Host } from './host.ts';
import type { HostIdentity } from './hostIdentity.ts';
import { hostLog } from './hostLog.ts';

/** EX_SOFTWARE of sysexits(3): an internal fault. */
const FAULT_EXIT_CODE = 70;
/** A recorder that threw lets go within milliseconds, or is so broken that only the end of the process ends it. */
const CRASHED_WAIT_MS = 2_000;

const argumentsOf = (argv: readonly string[]) =>
  parseArgs({
    args: [...argv],
    options: {
      id: { type: 'string' },
      node: { type: 'string' },
      socket: { type: 'string' },
      'orphan-grace-ms': { type: 'string' },
    },
  }).values;

/**
 * The life of a recorder host process, from its arguments (`--id`, `--node`, `--socket`, `--orphan-grace-ms`) to its exit: 0
 * when it was told to quit or its grace is over, 70 at once when something was thrown that no single recorder is to blame for.
 */
export async function hostProcess(
  recorders: (log: Log, identity: HostIdentity) => StartRecorder | Promise<StartRecorder>,
): Promise<void> {
  const given = argumentsOf(process.argv.slice(2));
  const { id: hostId, node, socket: socketPath } = given;
  if (hostId === undefined || node === undefined || socketPath === undefined) {
    throw new TypeError('A recorder host needs --id, --node and --socket.');
  }
  process.title = 'kennel-recorder-host';
  const log = hostLog(hostId);
  const host = new Host({
    startRecorder: await recorders(log, { hostId, node }),
    hostId,
    socketPath,
    clock: systemClock,
    random: Math.random,
    log,
    ...(given['orphan-grace-ms'] === undefined
      ? {}
      : { orphanGraceMs: Number(given['orphan-grace-ms']) }),
  });

  const fall = (fields: Record<string, unknown>): never => {
    log('error', 'The host falls.', fields);
    process.exit(FAULT_EXIT_CODE);
  };
  const uncaught = (error: unknown): void => {
    const stack = error instanceof Error ? error.stack : undefined;
    const crashed = host.crash(error);
    if (crashed === undefined) {
      fall({ error: messageOf(error), stack });
      return;
    }
    setTimeout(() => {
      if (!crashed.isGone()) fall({ jobId: crashed.jobId, error: messageOf(error), stack });
    }, CRASHED_WAIT_MS).unref();
  };
  process.on('uncaughtException', uncaught);
  process.on('unhandledRejection', uncaught);
  // The terminal of a developer may close; the recording goes on.
  process.on('SIGHUP', () => undefined);
  process.on('SIGTERM', () => void host.quit('SIGTERM'));
  process.on('SIGINT', () => void host.quit('SIGINT'));

  await host.listen();
  log('info', 'The host listens.', { socketPath });
  await host.ended;
  process.exit(0);
}
