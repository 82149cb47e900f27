import { loadConfig } from '../../config/load.ts';
import { examine } from '../../jobs/doctor.ts';
import type { CliContext } from '../context.ts';

export interface DoctorOptions {
  readonly dataDir?: string;
  readonly json?: boolean;
}

const EXIT_CONFIG = 78;

/** `kennel doctor` */
export async function doctor(
  context: CliContext,
  { dataDir, json }: DoctorOptions,
): Promise<number> {
  const { terminal, env } = context;
  const config = loadConfig(env, dataDir === undefined ? {} : { dataDir });
  const findings = await examine(config, async () => {
    const kennel = await context.compose(config);
    await kennel.records.list({ limit: 1 });
    await kennel.stop();
  });
  for (const finding of findings) {
    const { check, verdict, found, advice } = finding;
    if (json) terminal.out(JSON.stringify(finding));
    else
      terminal.out(`${verdict}  ${check.padEnd(15)} ${found}${advice ? `\n      ${advice}` : ''}`);
  }
  return findings.some(({ verdict }) => verdict === 'bad') ? EXIT_CONFIG : 0;
}
