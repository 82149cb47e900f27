import type { MakeRecording, StartRecorder } from '../recording/recorder.ts';
import { recorderOf } from '../recording/recorderSession.ts';
import { JobRecording, type NativeOptions } from './jobRecording.ts';
import type { Transport } from './transport/transport.ts';

/** The native engine: HLS over this transport. */
export const nativeRecording =
  (transport: Transport, native: NativeOptions = {}): MakeRecording =>
  (options) =>
    new JobRecording({ ...options, ...native, transport });

/** Recorders that know the native engine and nothing else. */
export const nativeRecorder = (transport: Transport): StartRecorder =>
  recorderOf(nativeRecording(transport), () => 'native');
