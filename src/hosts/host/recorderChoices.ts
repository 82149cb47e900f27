import type { Clock } from '../../core/clock.ts';
import { nodeRules } from '../../egress/addressRules.ts';
import { nativeRecording } from '../../hls/nativeRecorder.ts';
import type { Transport } from '../../hls/transport/transport.ts';
import { directLink } from '../../intake/directLink.ts';
import { linkKind } from '../../intake/linkKind.ts';
import type { ProgramKit } from '../../programs/programKit.ts';
import type { RecordingOptions } from '../../recording/recorder.ts';
import type { Choices } from './chosenRecording.ts';

export interface RecorderChoicesOptions {
  /** What the operator of the node allows besides what is public, separated by commas. */
  readonly allow: string;
  /** Of the host, shared by its jobs, and made when one of them first wants it. */
  kit(): Promise<ProgramKit>;
  /** Of the host, shared by its jobs. */
  readonly transport: Transport;
  readonly clock: Clock;
  readonly job: RecordingOptions['job'];
}

/**
 * Who can record a job in this host. What only programs and pages need is loaded when it is first wanted: it takes 10 MB and the
 * versions of three tools, and most hosts record nothing but links to playlists.
 */
export function recorderChoices(options: RecorderChoicesOptions): Choices {
  const { allow, transport, clock, job, kit } = options;
  const rules = nodeRules(allow, job.spec.reach);
  const more = async () => {
    const [{ programChoices }, made] = await Promise.all([import('./programChoices.ts'), kit()]);
    return programChoices(options, made);
  };
  return {
    native: (resolveLink) => nativeRecording(transport, { resolveLink, rules }),
    readsPages: async (name) => await (await more()).readsPages(name),
    resolve: async (link, signal) => {
      const kind = linkKind(link);
      if (kind !== 'page') return directLink(kind, link, clock.now());
      return await (await more()).resolve(link, signal);
    },
    program: async (choice) => await (await more()).program(choice),
  };
}
