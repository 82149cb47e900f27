import { probe as probeTarget } from '../../jobs/probe.ts';
import type { CliContext } from '../context.ts';
import { headersOf } from '../headers.ts';

export interface ProbeCommandOptions {
  readonly target: string;
  readonly header: readonly string[];
}

const TIMEOUT_MS = 60_000;

/** `kennel probe URL|FILE` */
export async function probe(
  { terminal }: CliContext,
  options: ProbeCommandOptions,
): Promise<number> {
  const probed = await probeTarget({
    target: options.target,
    headers: headersOf(options.header),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  terminal.out(JSON.stringify(probed, undefined, 2));
  return 0;
}
