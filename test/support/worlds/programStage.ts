import { globSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { KennelEvent } from '../../../src/jobs/events.ts';
import { eventsOf, type KennelHome, kennelHome, type Ran, type Running } from '../kennel.ts';
import type { SetDescription } from '../origin/mediaSet.ts';
import { programsOf } from './processes.ts';
import { accountOf, mediaFiles, type RecordingAccount } from './recordingAccount.ts';

/** One recording of one world, from its command line to the account of it. */
export interface ProgramStage {
  readonly home: KennelHome;
  /** `kennel record URL …` with events, with the segments kept, and with this machine's own addresses allowed. */
  start(url: string, ...more: string[]): Running;
  record(url: string, ...more: string[]): Promise<Ended>;
  /** What came of a run. */
  ended(ran: Ran): Ended;
  account(
    ended: Ended,
    judged: {
      readonly ffmpeg: string;
      readonly truth: SetDescription | string;
      readonly video?: boolean;
    },
  ): Promise<RecordingAccount>;
  /** When the newest piece of media was stored, milliseconds since the epoch; 0 before the first. */
  storedAt(): number;
  /** Processes of the job, and files in work directories or beside the media, that nobody should have left. */
  leftovers(ended: Ended): string[];
  remove(): void;
}

export interface Ended extends Ran {
  readonly events: readonly KennelEvent[];
  readonly jobId: string;
  readonly last: Extract<KennelEvent, { type: 'job.ended' }> | undefined;
}

/** What is in a recording's directory when it is over. */
const OF_A_RECORDING = /^(journal\.ndjson.*|media(\/.*)?|finish(\/\w+\.json)?)$/;

export function programStage(environment: Record<string, string> = {}): ProgramStage {
  const home = kennelHome();
  const env = { KENNEL_LOG_LEVEL: 'debug', ...environment };
  const start = (url: string, ...more: string[]) =>
    home.start(
      [
        ...['record', url, '--output', home.file('show.mp4'), '--json', '--keep-segments'],
        ...['--allow', '127.0.0.0/8', ...more],
      ],
      env,
    );
  const ended = (ran: Ran): Ended => {
    const events = eventsOf(ran.stdout);
    const last = events.findLast((event) => event.type === 'job.ended');
    return { ...ran, events, last, jobId: events[0]?.jobId ?? '' };
  };
  return {
    home,
    start,
    record: async (url, ...more) => ended(await start(url, ...more).ended),
    ended,
    account: ({ jobId, last }, judged) =>
      accountOf({
        directory: recordingOf(home, jobId),
        files: mediaFiles(last?.files ?? []),
        ...judged,
      }),
    storedAt: () => newestIn(join(home.dataDir, 'recordings')),
    leftovers: ({ jobId }) => [
      ...programsOf(jobId).map(({ pid, arguments: words }) => `process ${pid}: ${words.join(' ')}`),
      ...strayFiles(recordingOf(home, jobId)),
    ],
    remove: () => home.remove(),
  };
}

const recordingOf = (home: KennelHome, jobId: string): string =>
  join(home.dataDir, 'recordings', jobId);

function newestIn(recordings: string): number {
  const times = globSync('*/media/**', { cwd: recordings }).map(
    (file) => statSync(join(recordings, file), { throwIfNoEntry: false })?.mtimeMs ?? 0,
  );
  return Math.max(0, ...times);
}

const strayFiles = (directory: string): string[] =>
  globSync('**', { cwd: directory })
    .filter((file) => file !== '' && file !== '.' && !OF_A_RECORDING.test(file))
    .map((file) => `file ${file}`);

/** The host's and the supervisor's own words, for a failure that has to be understood. */
export const logsOf = ({ dataDir }: KennelHome, charactersMax = 20_000): string =>
  globSync(join(dataDir, 'log', '*.log'))
    .map((file) => `== ${basename(dirname(file))}/${basename(file)}\n${readFileSync(file, 'utf8')}`)
    .join('\n')
    .slice(-charactersMax);
