import { recordStream } from '../streamRecorder.ts';
import { hybridTransport } from '../transport/hybridTransport.ts';
import { hostProcess } from './hostProcess.ts';

await hostProcess({
  recordStream,
  transport: (log) =>
    hybridTransport({
      onFallback: ({ host, reason, helped }) =>
        log('info', 'An origin is asked by the second client.', { host, reason, helped }),
    }),
});
