import type { MakeRecording, StartRecorder } from '../recording/recorder.ts';
import { recorderOf } from '../recording/recorderSession.ts';
import { JobRecording } from './jobRecording.ts';
import type { ResolvePage } from './source/linkPage.ts';
import type { Transport } from './transport/transport.ts';

/** The native engine: HLS over this transport. `resolveLink`: who finds out what is behind the job's links that are pages. */
export const nativeRecording =
  (transport: Transport, resolveLink?: ResolvePage): MakeRecording =>
  (options) =>
    new JobRecording({ ...options, transport, resolveLink });

/** Recorders that know the native engine and nothing else. */
export const nativeRecorder = (transport: Transport): StartRecorder =>
  recorderOf(nativeRecording(transport), () => 'native');
