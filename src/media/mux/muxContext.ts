import type { Ledger } from '../../ledger/ledger.ts';
import type { Damage } from '../damagedEntries.ts';
import type { FileTags } from '../fileTags.ts';
import type { Ffmpeg } from '../findFfmpeg.ts';
import type { MuxRequest } from './muxRequest.ts';

export interface MuxOptions {
  /** The recording's directory: the ledger's files are below it. */
  readonly directory: string;
  readonly ledger: Ledger;
  /** Made when missing. Everything in it that looks like a result of this function is this function's. */
  readonly outputDirectory: string;
  /** Absent: everything is done by the embedded mediabunny. */
  readonly ffmpeg?: Ffmpeg;
  readonly signal: AbortSignal;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** What programs get besides `KENNEL_JOB`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What the files say about themselves. */
  readonly tags?: FileTags;
  /** Only the sound is wanted: pictures are left out of the files, where anything that was recorded has sound. */
  readonly soundOnly?: boolean;
  /** What a file ends in that has nothing but sound. Default: `m4a`. The first one only, where more is wanted than sound. */
  readonly soundEnding?: 'm4a' | 'mp4';
  readonly onProgress?: MuxRequest['onProgress'];
  /** Called before everything that changes the disk, with a name for it. Tests fail or die in here. */
  readonly before?: (step: string) => void;
}

/** Options with what was found out. */
export type MuxContext = MuxOptions & {
  readonly environment: Readonly<Record<string, string>>;
  readonly damage: Damage;
};
