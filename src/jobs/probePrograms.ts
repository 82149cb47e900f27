import { dirname, join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { systemClock as clock } from '../core/clock.ts';
import { ffprobe } from '../intake/ffprobe.ts';
import { relayTarget } from '../intake/relayTarget.ts';
import { findTool } from '../programs/findTools.ts';
import { choosePlugin } from '../programs/plugins.ts';
import { ProgramKit } from '../programs/programKit.ts';
import { programSource } from '../programs/programOrder.ts';
import type { FoundTool } from '../programs/recorderPlugin.ts';
import type { ProbePrograms } from './openProbe.ts';

/** The programs of this machine, for questions about links. */
export async function probePrograms(
  config: Config,
): Promise<ProbePrograms & { close(): Promise<void> }> {
  const kit = new ProgramKit({
    settings: config,
    runDirectory: join(config.dataDir, 'run', 'programs'),
    marker: {},
    clock,
    log: () => undefined,
  });
  const tools = await kit.tools();
  return {
    pages: await kit.pages(),
    missing:
      config.ytDlp === undefined
        ? 'it was not found'
        : `KENNEL_YTDLP names ${config.ytDlp}, which does not run`,
    rules: (reach) => kit.rules(reach),
    recorderFor: async (link, { recorder }) => {
      if (recorder === 'native' || (recorder === undefined && link.kind === 'hls')) return 'native';
      return choosePlugin(programSource(link), tools, recorder).plugin.name;
    },
    mediaOf: async (link, options) => {
      const tool = await findFfprobe(tools.get('ffmpeg'), config.searchPath);
      if (tool === undefined) return undefined;
      const questions = await kit.questions();
      const target = relayTarget(link);
      if (target === undefined) return await ffprobe(link, options, { ...questions, tool });
      // The proxy takes one listener, the relay another, which is for this one question.
      const tcp = target.protocol === 'tcp' ? 2 : 1;
      const network = await questions.cage.network({ tcp, udp: 2 - tcp });
      try {
        return await ffprobe(link, options, { ...questions, network, tool });
      } finally {
        network.close();
      }
    },
    close: async () => await kit.close(),
  };
}

/** The one beside ffmpeg, else any. */
async function findFfprobe(
  ffmpeg: FoundTool | undefined,
  searchPath: string,
): Promise<FoundTool | undefined> {
  const path = [...(ffmpeg === undefined ? [] : [dirname(ffmpeg.path)]), searchPath].join(':');
  return await findTool(
    {
      command: 'ffprobe',
      versionArguments: ['-version'],
      parseVersion: (output) => /^ffprobe version (\S+)/m.exec(output)?.[1],
    },
    { searchPath: path },
  );
}
