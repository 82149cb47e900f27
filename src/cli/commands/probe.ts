import { loadConfig } from '../../config/load.ts';
import { isKennelError } from '../../core/errors.ts';
import { exitCodeOfError } from '../../jobs/exitCode.ts';
import { openProbe } from '../../jobs/openProbe.ts';
import { probe as probeTarget } from '../../jobs/probe.ts';
import { probePrograms } from '../../jobs/probePrograms.ts';
import type { CliContext } from '../context.ts';
import { cookiesOf } from '../cookies.ts';
import { headersOf } from '../headers.ts';
import { probeLines } from '../probeLines.ts';

export interface ProbeCommandOptions {
  readonly target: string;
  readonly header: readonly string[];
  readonly quality?: string;
  readonly format?: string;
  readonly cookies?: string;
  readonly proxy?: string;
  readonly allow?: readonly string[];
  readonly json?: boolean;
}

const TIMEOUT_MS = 120_000;

/** `kennel probe URL|FILE` */
export async function probe(context: CliContext, options: ProbeCommandOptions): Promise<number> {
  const { terminal, env } = context;
  const { target, quality, format, proxy, allow, cookies: file } = options;
  const isPlain = options.json === true || !terminal.isOutLive;
  const warn = (sentence: string) => terminal.err(`kennel: ${sentence}`);
  const opened: { close(): void | Promise<void> }[] = [];
  try {
    const cookies = file === undefined ? undefined : await cookiesOf(file, warn);
    const headers = headersOf(options.header);
    const probed = await probeTarget({
      target,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      request: { quality, format, proxy, allow, cookies, headers },
      parts: async () => {
        const programs = await probePrograms(loadConfig(env));
        opened.push(programs);
        const parts = openProbe(programs);
        opened.push(parts);
        return parts;
      },
    });
    if (isPlain) terminal.out(JSON.stringify(probed, undefined, 2));
    else for (const line of probeLines(probed)) terminal.out(line);
    return 0;
  } catch (error) {
    if (!isPlain || !isKennelError(error)) throw error;
    const { code, message, retryable, details } = error;
    terminal.out(JSON.stringify({ refused: { code, message, retryable, details } }, undefined, 2));
    terminal.err(`kennel: ${message} [${code}]`);
    return exitCodeOfError(code);
  } finally {
    for (const one of opened.toReversed()) await one.close();
  }
}
