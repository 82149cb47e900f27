import { join } from 'node:path';
import { hostSettings } from '../../config/hostSettings.ts';
import { systemClock as clock } from '../../core/clock.ts';
import { hybridTransport } from '../../hls/transport/hybridTransport.ts';
import type { ProgramKit } from '../../programs/programKit.ts';
import { recorderOf } from '../../recording/recorderSession.ts';
import { chosenRecording, recorderName } from './chosenRecording.ts';
import { programMarkers } from './hostIdentity.ts';
import { hostProcess } from './hostProcess.ts';
import { recorderChoices } from './recorderChoices.ts';

await hostProcess((log, identity) => {
  const transport = hybridTransport({
    onFallback: ({ host, reason, helped }) =>
      log('info', 'An origin is asked by the second client.', { host, reason, helped }),
  });
  const settings = hostSettings();
  let kit: Promise<ProgramKit> | undefined;
  const makeKit = async (): Promise<ProgramKit> => {
    const { ProgramKit } = await import('../../programs/programKit.ts');
    return new ProgramKit({
      settings,
      runDirectory: join(identity.node, 'programs'),
      marker: programMarkers(identity),
      clock,
      log,
    });
  };
  const parts = {
    allow: settings.allow,
    kit: async () => {
      kit ??= makeKit();
      return await kit;
    },
    transport,
    clock,
  };
  return recorderOf(
    chosenRecording((options) => recorderChoices({ ...parts, job: options.job })),
    ({ job }) => recorderName(job.spec),
  );
});
