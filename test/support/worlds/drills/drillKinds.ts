import type { FakeName, Misdeed } from '../fakeTool.ts';
import type { LivingProcess } from '../processes.ts';
import type { WorldTool } from '../worldTools.ts';

/** What is done to a program, or what it does itself. */
export interface DrillKind {
  readonly name: string;
  /** Its plugin. */
  readonly recorder: FakeName;
  readonly needs: readonly WorldTool[];
  /** Signals to real processes. */
  readonly strike?: {
    readonly signal: NodeJS.Signals;
    /** Which of the program's family; none: the moment has not come yet. */
    choose(program: LivingProcess, all: readonly LivingProcess[]): readonly LivingProcess[];
  };
  /** A fake program in its place. */
  readonly misdeed?: Misdeed;
  /** It puts nothing out, so that only the last of its programs is recovered from. */
  readonly isFruitless?: boolean;
  /** It does no wrong until it is asked to end. */
  readonly isPatient?: boolean;
  /** Stands in what is told of each of its ends. */
  readonly reason: RegExp;
}

const alone = (program: LivingProcess) => [program];
const child = (_program: LivingProcess, all: readonly LivingProcess[]) =>
  all.filter(({ name }) => name === 'ffmpeg');
const everybody = (_program: LivingProcess, all: readonly LivingProcess[]) => all;
/** The program and its children: in a cage, what is around it stays. */
const inside = (program: LivingProcess, all: readonly LivingProcess[]) =>
  all.slice(0, all.findIndex(({ pid }) => pid === program.pid) + 1);

const KILLED = /SIGKILL|exit\.137|killed/;

const real = (
  recorder: FakeName,
  needs: readonly WorldTool[],
): Readonly<Record<'killed' | 'group' | 'stopped', DrillKind>> => ({
  killed: {
    ...{ name: `${recorder} killed`, recorder, needs, reason: KILLED },
    strike: { signal: 'SIGKILL', choose: alone },
  },
  group: {
    ...{ name: `${recorder} killed with its group`, recorder, needs, reason: KILLED },
    strike: { signal: 'SIGKILL', choose: everybody },
  },
  stopped: {
    ...{ name: `${recorder} stopped`, recorder, needs, reason: /frozen/ },
    strike: { signal: 'SIGSTOP', choose: inside },
  },
});

const ytDlp = real('yt-dlp', ['ffmpeg', 'ytDlp']);
const ffmpeg = real('ffmpeg', ['ffmpeg']);
const streamlink = real('streamlink', ['ffmpeg', 'streamlink']);

const fake = (misdeed: Misdeed, reason: RegExp, more: Partial<DrillKind> = {}): DrillKind => ({
  name: `fake ${misdeed}`,
  recorder: 'yt-dlp',
  needs: ['ffmpeg'],
  misdeed,
  reason,
  ...more,
});

export const DRILL_KINDS: readonly DrillKind[] = [
  ytDlp.killed,
  {
    ...{ name: 'ffmpeg of yt-dlp killed', recorder: 'yt-dlp', needs: ['ffmpeg', 'ytDlp'] },
    reason: /exit\.|SIGKILL|tool\.failed|source\./,
    strike: { signal: 'SIGKILL', choose: child },
  },
  ytDlp.group,
  ytDlp.stopped,
  ffmpeg.killed,
  ffmpeg.stopped,
  streamlink.killed,
  streamlink.stopped,
  fake('ignoresSignals', /./, { isPatient: true }),
  fake('detaches', /exit\.1/),
  fake('detachesWithoutMarks', /exit\.1/),
  fake('floodsStderr', /logBytesPerMinute/),
  fake('muxes', /mux/),
  fake('leavesFiles', /exit\.1/),
  fake('oneWindow', /exit\.0|none|ended/),
  fake('exitsEmpty', /exit\.0|none|ended|source\./, { isFruitless: true }),
  fake('crashes', /SIGSEGV|SIGABRT|exit\.1(34|39)/),
];
