import { KennelError } from '../core/errors.ts';
import { ffmpeg } from './plugins/ffmpeg.ts';
import { streamlink } from './plugins/streamlink.ts';
import { isAtLeast } from './plugins/versionOrder.ts';
import { ytDlp } from './plugins/ytDlp.ts';
import type { FoundTool, ProgramSource, RecorderPlugin } from './recorderPlugin.ts';

/** All recorders that are programs. A new one is a file in `plugins/` and a line here. */
export const PLUGINS: readonly RecorderPlugin[] = [ffmpeg, ytDlp, streamlink];

/** The plugin that `--recorder NAME` means. Throws `usage.invalid` when there is none. */
export function pluginNamed(name: string): RecorderPlugin {
  const plugin = PLUGINS.find((one) => one.name === name);
  if (plugin !== undefined) return plugin;
  const known = PLUGINS.map((one) => one.name).join(', ');
  throw new KennelError(
    'usage.invalid',
    `There is no recorder program called ${JSON.stringify(name)}. There are: ${known}.`,
  );
}

export interface ChosenPlugin {
  readonly plugin: RecorderPlugin;
  readonly tool: FoundTool;
}

/**
 * The best plugin for a source among those whose program is there and new enough.
 *
 * @param found by the command of the tool (`ffmpeg`, `yt-dlp`, `streamlink`)
 * @param wanted the name of the only one that may be used
 * @throws KennelError `source.unsupported`, `tool.missing`, `tool.outdated`, `usage.invalid`
 */
export function choosePlugin(
  source: ProgramSource,
  found: ReadonlyMap<string, FoundTool>,
  wanted?: string,
): ChosenPlugin {
  const asked = wanted === undefined ? PLUGINS : [pluginNamed(wanted)];
  const fit = asked
    .map((plugin) => ({ plugin, fitness: plugin.fitness(source) }))
    .filter(({ fitness }) => fitness > 0)
    .sort((one, other) => other.fitness - one.fitness)
    .map(({ plugin }) => plugin);
  for (const plugin of fit) {
    const tool = found.get(plugin.tool.command);
    if (tool !== undefined && isAtLeast(tool.version, plugin.tool.minimum.version)) {
      return { plugin, tool };
    }
  }
  const [best] = fit;
  if (best === undefined) throw unsupported(source, wanted);
  const outdated = fit.find(({ tool }) => found.has(tool.command));
  throw outdated === undefined ? missing(fit) : tooOld(outdated, found);
}

function unsupported({ kind, url }: ProgramSource, wanted: string | undefined): KennelError {
  const what = `${kind === 'page' ? 'a page' : `a ${kind} source`} (${url.protocol}//…)`;
  const sentence =
    wanted === undefined
      ? `No recorder program records ${what} of these codecs. Choose another format or link of it; kennel probe lists what there is.`
      : `${wanted} does not record ${what}. Leave --recorder out, and Kennel chooses one that does.`;
  return new KennelError('source.unsupported', sentence, { details: { kind } });
}

function missing(fit: readonly RecorderPlugin[]): KennelError {
  const ways = fit.map(({ name, tool }) => `${name} (${tool.advice})`).join(' Or ');
  const tools = fit.map(({ name }) => name);
  return new KennelError('tool.missing', `This source needs a program that is not here: ${ways}`, {
    details: { tools },
  });
}

function tooOld(
  { name, tool }: RecorderPlugin,
  found: ReadonlyMap<string, FoundTool>,
): KennelError {
  const { minimum, advice } = tool;
  const version = found.get(tool.command)?.version ?? 'unknown';
  return new KennelError(
    'tool.outdated',
    `${name} ${version} is too old for this source, which needs ${minimum.version}: ${minimum.because}. ${advice}`,
    { details: { tool: name, version, minimum: minimum.version } },
  );
}
