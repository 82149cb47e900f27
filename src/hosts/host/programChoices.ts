import { lookThrough } from '../../hls/source/probeTransport.ts';
import { linkResolver, resolverOfJob } from '../../intake/linkResolver.ts';
import { programOutput } from '../../programs/output/programOutput.ts';
import { choosePlugin, pluginNamed } from '../../programs/plugins.ts';
import type { ProgramKit } from '../../programs/programKit.ts';
import { programSource } from '../../programs/programOrder.ts';
import { programRecording } from '../../programs/programRecording.ts';
import type { Choices } from './chosenRecording.ts';
import type { RecorderChoicesOptions } from './recorderChoices.ts';

/** Any page: what a plugin makes of it says whether it reads pages itself. */
const SOME_PAGE = new URL('https://page.invalid/');

/** Who can record a job that takes programs, or whose link has to be asked about; see recorderChoices.ts, which loads this. */
export function programChoices(
  { transport, clock, job }: RecorderChoicesOptions,
  kit: ProgramKit,
): Pick<Choices, 'program' | 'readsPages' | 'resolve'> {
  return {
    readsPages: async (name) => pluginNamed(name).fitness({ kind: 'page', url: SOME_PAGE }) > 0,
    resolve: async (link, signal) => {
      const look = lookThrough({ transport, clock, rules: (reach) => kit.rules(reach) });
      const pages = await kit.pages();
      const resolve = resolverOfJob(linkResolver({ look, pages, now: clock.now }), job.spec);
      return await resolve(link, signal);
    },
    program: async ({ name, link, resolve: again }) => {
      const tools = await kit.tools();
      const { plugin, tool } = choosePlugin(programSource(link), tools, name);
      const ffmpeg = tools.get('ffmpeg');
      return programRecording({
        plugin,
        tool,
        ...(ffmpeg && { ffmpeg }),
        resolve: again,
        cage: await kit.cage(),
        gate: kit.gate,
        sharedNetwork: async () => await kit.sharedNetwork(),
        rules: kit.rules(job.spec.reach),
        limits: kit.limits,
        nodePath: kit.nodePath,
        marker: kit.marker,
        output: programOutput,
      });
    },
  };
}
