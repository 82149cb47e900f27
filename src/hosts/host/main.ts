import { nativeRecorder } from '../../hls/nativeRecorder.ts';
import { hybridTransport } from '../../hls/transport/hybridTransport.ts';
import { hostProcess } from './hostProcess.ts';

await hostProcess((log) =>
  nativeRecorder(
    hybridTransport({
      onFallback: ({ host, reason, helped }) =>
        log('info', 'An origin is asked by the second client.', { host, reason, helped }),
    }),
  ),
);
