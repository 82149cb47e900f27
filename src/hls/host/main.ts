import { recordStream } from '../streamRecorder.ts';
import { leanTransport } from '../transport/leanTransport.ts';
import { hostProcess } from './hostProcess.ts';

await hostProcess({ recordStream, transport: leanTransport() });
