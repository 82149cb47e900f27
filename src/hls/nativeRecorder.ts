import type { AddressRules } from '../egress/addressRules.ts';
import type { MakeRecording, StartRecorder } from '../recording/recorder.ts';
import { recorderOf } from '../recording/recorderSession.ts';
import { JobRecording } from './jobRecording.ts';
import type { ResolvePage } from './source/linkPage.ts';
import type { Transport } from './transport/transport.ts';

export interface NativeOptions {
  /** Who finds out what is behind the job's links that are pages. Absent: every link is taken for a playlist. */
  readonly resolveLink?: ResolvePage | undefined;
  /** Who may be connected to. Absent: anybody. */
  readonly rules?: AddressRules | undefined;
}

/** The native engine: HLS over this transport. */
export const nativeRecording =
  (transport: Transport, native: NativeOptions = {}): MakeRecording =>
  (options) =>
    new JobRecording({ ...options, ...native, transport });

/** Recorders that know the native engine and nothing else. */
export const nativeRecorder = (transport: Transport): StartRecorder =>
  recorderOf(nativeRecording(transport), () => 'native');
