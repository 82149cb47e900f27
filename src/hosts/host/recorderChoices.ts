import type { Clock } from '../../core/clock.ts';
import { nativeRecording } from '../../hls/nativeRecorder.ts';
import { lookThrough } from '../../hls/source/probeTransport.ts';
import type { Transport } from '../../hls/transport/transport.ts';
import { linkResolver, resolverOfJob } from '../../intake/linkResolver.ts';
import { programOutput } from '../../programs/output/programOutput.ts';
import { choosePlugin, pluginNamed } from '../../programs/plugins.ts';
import type { ProgramKit } from '../../programs/programKit.ts';
import { programSource } from '../../programs/programOrder.ts';
import { programRecording } from '../../programs/programRecording.ts';
import type { RecordingOptions } from '../../recording/recorder.ts';
import type { Choices, ProgramChoice, Resolve } from './chosenRecording.ts';

export interface RecorderChoicesOptions {
  readonly kit: ProgramKit;
  /** Of the host, shared by its jobs. */
  readonly transport: Transport;
  readonly clock: Clock;
  readonly job: RecordingOptions['job'];
}

/** Any page: what a plugin makes of it says whether it reads pages itself. */
const SOME_PAGE = new URL('https://page.invalid/');

/** Who can record a job in this host. */
export function recorderChoices(options: RecorderChoicesOptions): Choices {
  const { kit, transport, job } = options;
  const { spec } = job;
  const rules = kit.rules(spec.reach);
  const resolve: Resolve = async (link, signal) => await (await resolverOf(options))(link, signal);
  return {
    native: (resolveLink) => nativeRecording(transport, { resolveLink, rules }),
    readsPages: (name) => pluginNamed(name).fitness({ kind: 'page', url: SOME_PAGE }) > 0,
    resolve,
    program: async ({ name, link, resolve: again }: ProgramChoice) => {
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
        rules,
        limits: kit.limits,
        nodePath: kit.nodePath,
        marker: kit.marker,
        output: programOutput,
      });
    },
  };
}

async function resolverOf({
  kit,
  transport,
  clock,
  job,
}: RecorderChoicesOptions): Promise<Resolve> {
  const look = lookThrough({ transport, clock, rules: (reach) => kit.rules(reach) });
  const pages = await kit.pages();
  return resolverOfJob(linkResolver({ look, pages, now: clock.now }), job.spec);
}
