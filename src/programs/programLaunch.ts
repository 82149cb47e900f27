import type { CagedCommand, CageNetwork } from '../cage/cage.ts';
import type { EgressPass } from '../egress/egressGate.ts';
import type { ResolvedLink } from '../intake/link.ts';
import { relayTarget } from '../intake/relayTarget.ts';
import { JOB_VARIABLE } from '../process/programProcesses.ts';
import type { RecordingOptions } from '../recording/recorder.ts';
import { programSource, wishes } from './programOrder.ts';
import type { ProgramParts } from './programParts.ts';
import type { ProgramOrder } from './recorderPlugin.ts';
import { makeWorkDirectory, removeWorkDirectories, workDirectoryOf } from './workDirectory.ts';

/** Standard input, output and error come first. */
const FIRST_DESCRIPTOR = 3;

/** Everything that one program needs, ready to be started. */
export interface Launch {
  readonly command: CagedCommand;
  /** The command is not the program itself, but leads to it. */
  readonly isWrapped: boolean;
  readonly pass: EgressPass;
  readonly workDirectory: string;
  /** Closes its way out and removes its work directory. For when nothing of it lives any more. */
  dispose(): Promise<void>;
}

/**
 * Prepares one program: its way out, its place to write, its secret files, its cage. Rejects with a KennelError, and leaves nothing behind
 * then.
 */
export async function prepareLaunch(
  parts: ProgramParts,
  options: Pick<RecordingOptions, 'job' | 'directory'>,
  { resolved, run }: { resolved: ResolvedLink; run: number },
): Promise<Launch> {
  const { job, directory } = options;
  const undo: (() => unknown)[] = [() => removeWorkDirectories(directory)];
  const dispose = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const way = await wayOut(parts, options, resolved);
    undo.push(...way.undo);
    const where = { attempt: job.attempt, run };
    const order: ProgramOrder = {
      source: programSource(resolved),
      ...wishes(job.spec, resolved),
      proxyUrl: way.pass.proxyUrl,
      ...(way.relay !== undefined && { relay: way.relay }),
      workDirectory: workDirectoryOf(directory, where),
      tool: parts.tool,
      ...(parts.ffmpeg !== undefined && { ffmpeg: parts.ffmpeg }),
      nodePath: parts.nodePath,
    };
    const wanted = parts.plugin.command(order);
    const { files = [] } = wanted;
    const workDirectory = await makeWorkDirectory(directory, { ...where, files });
    const command = parts.cage.command(
      {
        profile: 'fetch',
        file: parts.tool.path,
        arguments: wanted.arguments,
        environment: { ...wanted.environment, ...parts.marker, [JOB_VARIABLE]: job.id },
        workDirectory,
        readable: readableOf(parts, wanted.readable),
        limits: parts.limits,
        network: way.network,
      },
      FIRST_DESCRIPTOR,
    );
    const isWrapped = command.file !== parts.tool.path;
    return { command, isWrapped, pass: way.pass, workDirectory, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

interface WayOut {
  readonly network: CageNetwork;
  readonly pass: EgressPass;
  readonly relay?: { readonly host: string; readonly port: number };
  readonly undo: readonly (() => void)[];
}

/** A pass of its own for each program; with a relay also a network of its own, as that listens for this program alone. */
async function wayOut(
  parts: ProgramParts,
  { job }: Pick<RecordingOptions, 'job'>,
  resolved: ResolvedLink,
): Promise<WayOut> {
  const { spec } = job;
  const target = relayTarget(resolved);
  // The proxy takes one listener, the relay another.
  const tcp = target?.protocol === 'tcp' ? 2 : 1;
  const own =
    target === undefined
      ? undefined
      : await parts.cage.network({ tcp, udp: target.protocol === 'udp' ? 1 : 0 });
  const undo: (() => void)[] = own === undefined ? [] : [() => own.close()];
  try {
    const network = own ?? (await parts.sharedNetwork());
    const pass = await parts.gate.pass(network, {
      rules: parts.rules,
      upstream: spec.proxy === undefined ? undefined : new URL(spec.proxy),
      bytesPerSecondMax: spec.bytesPerSecondMax,
    });
    undo.push(() => pass.close());
    const relay = target === undefined ? undefined : await pass.relay(target);
    return { network, pass, ...(relay !== undefined && { relay }), undo };
  } catch (error) {
    for (const step of undo.reverse()) step();
    throw error;
  }
}

/** The tools may be anywhere, such as in a directory of their own. */
const readableOf = (
  { tool, ffmpeg }: ProgramParts,
  further: readonly string[] = [],
): readonly string[] => [
  ...new Set([tool.path, ...(ffmpeg === undefined ? [] : [ffmpeg.path]), ...further]),
];
