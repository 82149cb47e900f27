import { RecorderSession } from './recorderSession.ts';
import type { StreamRecorder, StreamRecorderOptions } from './streamRecorderContract.ts';

export type { StreamRecorder, StreamRecorderOptions } from './streamRecorderContract.ts';

/** Starts to record at once; what an earlier attempt stored in the directory is continued. */
export function recordStream(options: StreamRecorderOptions): StreamRecorder {
  const session = new RecorderSession(options);
  return {
    exited: session.run(),
    stop: (why) => session.stop(why),
    kill: (why) => session.kill(why),
    progress: () => session.progress(),
  };
}
