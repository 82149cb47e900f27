import { join } from 'node:path';
import type { Ledger } from '../../ledger/ledger.ts';
import type { SegmentStored } from '../../ledger/record.ts';
import { askInspect } from '../mediabunny/askMediabunny.ts';
import type { MediaInfo, MediaTrack } from '../mediabunny/protocol.ts';
import { decisiveSegments, type Run, runsOf } from '../runs.ts';

/** A run, and what the first segment of each of its timelines is. */
export interface ReadRun {
  readonly run: Run;
  /** One for each timeline; without tracks where the segment could not be read. */
  readonly firsts: readonly MediaInfo[];
}

export interface ReadRunsOptions {
  readonly ledger: Ledger;
  /** The recording's. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** The ledger's runs by what is really in the segments. Throws `mux.failed` when the reading process fails. */
export async function readRuns(options: ReadRunsOptions): Promise<ReadRun[]> {
  const { ledger, directory, environment, signal, log } = options;
  const segments = decisiveSegments(runsOf(ledger));
  if (segments.length === 0) return [];
  const inputs = segments.map(({ file, init }) => {
    const initFile = init === undefined ? undefined : ledger.init(init)?.file;
    const names = initFile === undefined ? [file] : [initFile, file];
    return names.map((name) => join(directory, name));
  });
  const answer = await askInspect({ inputs, count: true }, { environment, signal });
  const infos = new Map<SegmentStored, MediaInfo>();
  for (const [index, segment] of segments.entries()) {
    const read = answer.inputs[index];
    if (read !== undefined && 'info' in read) infos.set(segment, read.info);
    else log('segment could not be read', { file: segment.file, why: read?.unreadable });
  }
  const runs = runsOf(ledger, (segment) => {
    const tracks = infos.get(segment)?.tracks ?? [];
    return tracks.length === 0 ? undefined : parametersText(tracks);
  });
  return runs.map((run) => ({
    run,
    firsts: run.timelines.map(
      ({ segments: [first] }) => (first && infos.get(first)) ?? { format: 'unknown', tracks: [] },
    ),
  }));
}

const parametersText = (tracks: readonly MediaTrack[]): string =>
  tracks
    .map(({ kind, codec, width, height, sampleRate, channels }) =>
      [kind, codec, width, height, sampleRate, channels].join(' '),
    )
    .join(', ');
