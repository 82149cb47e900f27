import type { HealthCheck } from '../api/health.ts';
import type { Config } from '../config/schema.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { checkCage, checkTools, type Finding } from '../jobs/doctor.ts';

/** Looks once for the programs that record and for the cage around them, as `kennel doctor` does, and keeps what was found. */
export function probedTools(config: Config, log: Log) {
  let found: readonly Finding[] | undefined;
  const probing = probe(config).then(
    (findings) => {
      found = findings;
      for (const { check, verdict, found: what } of findings)
        log('info', 'a tool was probed', { check, verdict, found: what });
    },
    (error: unknown) => {
      found = [];
      log('error', 'the tools could not be probed', { error: messageOf(error) });
    },
  );
  const probed: HealthCheck = {
    name: 'tools',
    look: () => (found === undefined ? 'being probed' : undefined),
  };
  const fit: HealthCheck = {
    name: 'cage',
    look: () => (found?.some(isBad) ? 'a full cage is required, and cannot be built' : undefined),
  };
  return { probing, probed, fit };
}

const probe = async (config: Config): Promise<readonly Finding[]> => [
  ...(await checkTools(config)),
  await checkCage(config),
];

const isBad = ({ check, verdict }: Finding): boolean => check === 'cage' && verdict === 'bad';
