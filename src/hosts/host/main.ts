import { join } from 'node:path';
import { hostSettings } from '../../config/hostSettings.ts';
import { systemClock as clock } from '../../core/clock.ts';
import { hybridTransport } from '../../hls/transport/hybridTransport.ts';
import { ProgramKit } from '../../programs/programKit.ts';
import { recorderOf } from '../../recording/recorderSession.ts';
import { chosenRecording, recorderName } from './chosenRecording.ts';
import { hostProcess } from './hostProcess.ts';
import { recorderChoices } from './recorderChoices.ts';

await hostProcess((log, { hostId, node }) => {
  const transport = hybridTransport({
    onFallback: ({ host, reason, helped }) =>
      log('info', 'An origin is asked by the second client.', { host, reason, helped }),
  });
  const kit = new ProgramKit({
    settings: hostSettings(),
    runDirectory: join(node, 'programs'),
    marker: { KENNEL_PROGRAM_OF: node, KENNEL_HOST: hostId },
    clock,
    log,
  });
  return recorderOf(
    chosenRecording((options) => recorderChoices({ kit, transport, clock, job: options.job })),
    ({ job }) => recorderName(job.spec),
  );
});
