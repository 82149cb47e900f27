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
  /** When such a program begins to do wrong. `end`: by its end. */
  readonly wrongFrom?: 'start' | 'child' | 'end';
  /**
   * What has to become of the recording. `recovers`: it goes on with other programs. `stops`: no program does wrong until it is asked to
   * end, and it ends all the same. `fails`: nothing is ever recorded, and the job ends with its reason.
   */
  readonly leadsTo: 'recovers' | 'stops' | 'fails';
  /** Stands in what is told of each end of a program. */
  readonly reason: RegExp;
  /** With what a job ends that leads to failure. */
  readonly verdict?: string;
}

const alone = (program: LivingProcess) => [program];
const child = (_program: LivingProcess, all: readonly LivingProcess[]) =>
  all.filter(({ name }) => name === 'ffmpeg');
const everybody = (_program: LivingProcess, all: readonly LivingProcess[]) => all;
/** The program and its children: in a cage, what is around it stays. */
const inside = (program: LivingProcess, all: readonly LivingProcess[]) =>
  all.slice(0, all.findIndex(({ pid }) => pid === program.pid) + 1);

const KILLED = /SIGKILL/;

const real = (
  recorder: FakeName,
  needs: readonly WorldTool[],
): Readonly<Record<'killed' | 'group' | 'stopped', DrillKind>> => {
  const common = { recorder, needs, leadsTo: 'recovers' } as const;
  return {
    killed: {
      ...{ ...common, name: `${recorder} killed`, reason: KILLED },
      strike: { signal: 'SIGKILL', choose: alone },
    },
    group: {
      ...{ ...common, name: `${recorder} killed with its group`, reason: KILLED },
      strike: { signal: 'SIGKILL', choose: everybody },
    },
    stopped: {
      ...{ ...common, name: `${recorder} stopped`, reason: /"word":"frozen"/ },
      strike: { signal: 'SIGSTOP', choose: inside },
    },
  };
};

const ytDlp = real('yt-dlp', ['ffmpeg', 'ytDlp']);
const ffmpeg = real('ffmpeg', ['ffmpeg']);
const streamlink = real('streamlink', ['ffmpeg', 'streamlink']);

const fake = (misdeed: Misdeed, reason: RegExp, more: Partial<DrillKind> = {}): DrillKind => ({
  name: `fake ${misdeed}`,
  recorder: 'yt-dlp',
  needs: ['ffmpeg'],
  leadsTo: 'recovers',
  misdeed,
  reason,
  ...more,
});

export const DRILL_KINDS: readonly DrillKind[] = [
  ytDlp.killed,
  {
    ...{ name: 'ffmpeg of yt-dlp killed', recorder: 'yt-dlp', needs: ['ffmpeg', 'ytDlp'] },
    // That is what yt-dlp makes of it, and says.
    reason: /"exitCode":1,.*ffmpeg exited with code -9/,
    leadsTo: 'recovers',
    strike: { signal: 'SIGKILL', choose: child },
  },
  ytDlp.group,
  ytDlp.stopped,
  ffmpeg.killed,
  ffmpeg.stopped,
  streamlink.killed,
  streamlink.stopped,
  fake('ignoresSignals', /ended by Kennel \(signal\.SIGKILL\)/, { leadsTo: 'stops' }),
  fake('detaches', /"exitCode":1,/),
  fake('detachesWithoutMarks', /"exitCode":1,/),
  fake('floodsStderr', /logBytesPerMinuteMax/, { wrongFrom: 'start' }),
  fake('muxes', /tempFileDoggy/, { wrongFrom: 'child' }),
  fake('leavesFiles', /"exitCode":1,/),
  fake('oneWindow', /"exitCode":0,/),
  fake('exitsEmpty', /ended without any media/, {
    ...{ leadsTo: 'fails', verdict: 'source.unavailable' },
  }),
  fake('crashes', /SIGSEGV|SIGABRT/),
];
