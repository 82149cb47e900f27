import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { commandLine } from '../../../src/cli/commandLine.ts';
import type { CliContext } from '../../../src/cli/context.ts';
import type { Environment } from '../../../src/config/load.ts';
import { isKennelError } from '../../../src/core/errors.ts';
import { exitCodeOfError } from '../../../src/jobs/exitCode.ts';

export interface Ran {
  readonly exitCode: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
  /** Of the failure that was told, if it was one. */
  readonly code?: string;
}

const refuse = () => Promise.reject(new Error('nothing is composed: a service is asked'));

/** A command line, on a data directory of its own, with what it prints. */
export async function remoteCli(env: Environment = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'kennel-remote-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));

  const run = async (argv: readonly string[], more: Partial<CliContext> = {}): Promise<Ran> => {
    const [out, err]: [string[], string[]] = [[], []];
    const context: CliContext = {
      env: { KENNEL_DATA_DIR: dataDir, ...env },
      terminal: {
        out: (line) => out.push(...line.split('\n')),
        err: (line) => err.push(line),
        style: (_, text) => text,
        status: () => undefined,
        isLive: false,
        isOutLive: true,
      },
      compose: refuse,
      composeService: refuse,
      ...more,
    };
    let exitCode = 0;
    try {
      const program = commandLine(context, (code) => {
        exitCode = code;
      });
      await program.parseAsync([...argv], { from: 'user' });
      return { exitCode, out, err };
    } catch (error) {
      if (!isKennelError(error)) throw error;
      const { code, message } = error;
      return { exitCode: exitCodeOfError(code), out, err: [...err, message], code };
    }
  };
  return { run, dataDir };
}
