import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENGINE_MUTANTS } from './engine/engineMutants.ts';
import type { Mutant } from './mutant.ts';

/*
 * Shows that the laws bite: each mutant is a copy of the code with one bug planted; the simulator must break a law with
 * it. `npm run simulate:mutants [name …]`, where a name may be that of a world. Exits 1 when a mutant survives.
 */

/** Bugs in the supervision tree. */
const TREE_MUTANTS: readonly Mutant[] = [
  {
    bug: 'a new life does not clear what an earlier one left',
    file: 'machines/bigDogKit.ts',
    find: 'await leash.clear(jobId);',
    replace: 'void 0;',
  },
  {
    bug: 'the children of a machine that throws go on',
    file: 'machines/supervision/linked.ts',
    find: '      stopChildren();\n      throw error;',
    replace: '      throw error;',
  },
  {
    bug: 'no move waits for its commit',
    file: 'machines/bigDog.ts',
    find: "!(from === 'recording' && to === 'retrying') && !(from === 'retrying' && to === 'recording')",
    replace: "from === 'recording' && to === from",
  },
  {
    bug: 'events during a commit are lost',
    file: 'machines/supervision/durable.ts',
    find: 'held.stash.push(event);',
    replace: '',
  },
  {
    bug: 'a kill does not wait until the recorder is gone',
    file: 'machines/bigDogRecording.ts',
    find: "'job.kill': { target: '.biting', actions: { type: 'sayFarewell', params: 'killed' } },",
    replace: "'job.kill': { target: 'cancelled', actions: { type: 'because', params: KILLED } },",
  },
  {
    bug: 'nobody kills a recorder that ignores its stop',
    file: 'machines/bigDogRecording.ts',
    find: "            target: 'biting',\n            actions: { type: 'record', params: bark('bigDog', 'grace', { graceMs }) },",
    replace:
      "            actions: { type: 'record', params: bark('bigDog', 'grace', { graceMs }) },",
  },
  {
    bug: 'a stop is not heard while a silent recorder is being killed',
    file: 'machines/bigDogRecording.ts',
    find: "            guard: 'wasBitten',",
    replace: "            guard: 'wasKilled',",
  },
  {
    bug: 'orders are not told again after a fall',
    file: 'machines/bigDogDog.ts',
    find: 'if (order) child.send(order);',
    replace: '',
  },
  {
    bug: 'a node counts as drained while a fallen dog waits for its next life',
    file: 'machines/bigDogDog.ts',
    find: 'pack.size === 0 && due.size === 0',
    replace: 'pack.size === 0',
  },
  {
    bug: 'the duration is over too early',
    file: 'machines/durationDoggy.ts',
    find: 'isOver: ({ context }) => elapsed() >= context.until,',
    replace: 'isOver: ({ context }) => elapsed() >= context.until - 500,',
  },
  {
    bug: 'the duration counts from the order, not from the first playlist',
    file: 'machines/bigDogKit.ts',
    find: 'job: ({ context: { job } }) => ({ ...job, attempt: job.attempt + 1 }),',
    replace:
      'job: ({ context: { job } }) => ({ ...job, attempt: job.attempt + 1 }), begunAt: ({ context }) => context.begunAt ?? elapsed(),',
  },
  {
    bug: 'the restart budget is larger than the policy says',
    file: 'machines/supervision/backoff.ts',
    find: 'crashes.length > intensity;',
    replace: 'crashes.length > intensity + 1;',
  },
  {
    bug: 'a verdict is forgotten once the file is stored',
    file: 'machines/bigDogFinishing.ts',
    find: "              guard: 'hasVerdict',\n              target: '#bigDog.failed',",
    replace: "              guard: 'hasVerdict',\n              target: '#bigDog.done',",
  },
  {
    bug: 'a dog that is gone still takes ownership',
    file: 'machines/bigDogKit.ts',
    find: 'store.open(jobId, signal)',
    replace: 'store.open(jobId, new AbortController().signal)',
  },
  {
    bug: 'a Big Dog that throws takes its recorder with it',
    file: 'machines/recorder.ts',
    find: 'return hold.release;',
    replace: "return () => hold.kill('released');",
  },
  {
    bug: 'a new recorder is measured by the beats of the old one',
    file: 'machines/heartbeatDoggy.ts',
    find: 'const misses = beats !== context.seen ? 0 : context.misses + 1;\n    return { ...context, seen: beats,',
    replace:
      'const misses = beats > context.seen ? 0 : context.misses + 1;\n    return { ...context, seen: Math.max(beats, context.seen),',
  },
  {
    bug: 'what is said while the root lies fallen is lost',
    file: 'machines/tree.ts',
    find: 'else unheard.push(event);',
    replace: '',
  },
  {
    bug: 'every commit claims the state it came from',
    file: 'machines/bigDog.ts',
    find: 'const from = previous ?? woken;',
    replace: 'const from = woken;',
  },
  {
    bug: 'a last life still does what the others fell over',
    file: 'machines/bigDogKit.ts',
    find: '= isLastLife ? job : await finish.footage',
    replace: '= await finish.footage',
  },
  {
    bug: 'a new life does not look into the journal for when the recording began',
    file: 'machines/bigDogKit.ts',
    find: 'job: startedAt === undefined ? job : { ...job, startedAt },',
    replace: 'job,',
  },
  {
    bug: 'a recorder is started again although the duration is over',
    file: 'machines/bigDogRecording.ts',
    find: "guard: 'isOver',",
    replace: "guard: 'wasKilled',",
  },
  {
    bug: 'a recorder that hangs is left to hang',
    file: 'machines/heartbeatDoggy.ts',
    find: '< policy.heartbeat.patience *',
    replace: '< 4 * policy.heartbeat.patience *',
  },
  {
    bug: 'a fallen recorder is started again at once',
    file: 'machines/bigDogKit.ts',
    find: 'backoff: ({ context }) => backoffMs(context.crashes, policy.recorder, random),',
    replace: 'backoff: 0,',
  },
  {
    bug: 'the falls of the recorder count against the muxer',
    file: 'machines/bigDogFinishing.ts',
    find: "          target: 'muxing',\n          actions: 'forgetCrashes',",
    replace: "          target: 'muxing',",
  },
  {
    bug: 'a recorder is given up before its budget is spent',
    file: 'machines/bigDogKit.ts',
    find: 'isSpent: ({ context }) => isSpent(crashesNow(context), policy.recorder),',
    replace: 'isSpent: ({ context }) => context.crashes.length > 2,',
  },
  {
    bug: 'two runs of the muxer share a directory',
    file: 'src/jobs/serialFinish.ts',
    find: '(last.get(jobId) ?? Promise.resolve()).then(run, run)',
    replace: 'Promise.resolve().then(run)',
  },
  {
    bug: 'a job that was told to stop while it fell is cancelled without finishing',
    file: 'machines/bigDogRecording.ts',
    find: "      guard: 'wasStopped',\n      target: 'gathering',",
    replace: "      guard: 'wasStopped',\n      target: 'cancelled',",
  },
  {
    bug: 'a program that hangs is left to hang',
    file: 'machines/vitalSigns.ts',
    find: 'return seen.mediaMs > 0 ? staleness(vitals, limits) : lateness(vitals, limits);',
    replace: 'return seen.mediaMs > 0 ? undefined : lateness(vitals, limits);',
  },
  {
    bug: 'a program that never has any media is waited for',
    file: 'machines/vitalSigns.ts',
    find: 'return seen.mediaMs > 0 ? staleness(vitals, limits) : lateness(vitals, limits);',
    replace: 'return seen.mediaMs > 0 ? staleness(vitals, limits) : undefined;',
  },
  {
    bug: 'a frozen program is judged like one that hangs',
    file: 'machines/vitalSigns.ts',
    find: 'if (frozen >= FROZEN_SAMPLES)',
    replace: 'if (frozen > 30)',
  },
  {
    bug: 'one look at a stopped process is enough',
    file: 'machines/vitalSigns.ts',
    find: 'const FROZEN_SAMPLES = 2;',
    replace: 'const FROZEN_SAMPLES = 1;',
  },
  {
    bug: 'a program is bitten while its source is away',
    file: 'machines/vitalSigns.ts',
    find: 'excusedAt: signs.isExcused ? at : before.excusedAt,',
    replace: 'excusedAt: before.excusedAt,',
  },
  {
    bug: 'a program that was stopped while its source is away counts as frozen',
    file: 'machines/vitalSigns.ts',
    find: 'isFrozen && !isExcused;',
    replace: 'isFrozen && (isExcused || !isExcused);',
  },
  {
    bug: 'a program is measured by what its predecessor did',
    file: 'machines/vitalSigns.ts',
    find: 'before === undefined || isAnother(before.seen, signs)',
    replace: 'before === undefined',
  },
  {
    bug: 'a program that spins counts as alive',
    file: 'machines/vitalSigns.ts',
    find: 'since(movedAt.media, movedAt.output) > limitMs',
    replace: 'since(movedAt.media, movedAt.output, movedAt.cpu) > limitMs',
  },
  {
    bug: 'bytes that come in excuse everything',
    file: 'machines/vitalSigns.ts',
    find: 'const stretchedMs = staleMs * STALE_STRETCH;',
    replace: 'const stretchedMs = staleMs * STALE_STRETCH * 100;',
  },
  {
    bug: 'a program is silent a little too soon',
    file: 'machines/vitalSigns.ts',
    find: '(targetMs === undefined ? STALE_MS : Math.max(STALE_MS_MIN, STALE_TARGETS * targetMs));',
    replace: '10_000;',
  },
  {
    bug: 'a file is recorded for as long as it would play',
    file: 'machines/durationDoggy.ts',
    find: 'isFilled: ({ context }) => mediaOf(leash, context.jobId) >= context.durationMs,',
    replace: 'isFilled: () => false,',
  },
  {
    bug: 'the media of a program counts for too much',
    file: 'machines/durationDoggy.ts',
    find: 'leash.progress(jobId).program?.recordedMs ?? 0;',
    replace: '(leash.progress(jobId).program?.recordedMs ?? 0) * 1.02;',
  },
  {
    bug: 'a program that has brought enough and fell is started again',
    file: 'machines/bigDogKit.ts',
    find: 'isPastEnd(context.job, now()) ||\n        isFilled(leash, context.job),',
    replace: 'isPastEnd(context.job, now()),',
  },
  {
    bug: 'a refusal is not heard while the row is read',
    file: 'machines/bigDog.ts',
    find: "'job.refuse': { actions: { type: 'takeRefusal', params: ({ event }) => event } },",
    replace: '',
  },
  {
    bug: 'a refusal comes without its evidence',
    file: 'machines/bigDogKit.ts',
    find: 'refusal ? { cause: refusal.why, evidence: refusal.evidence } : because,',
    replace: 'refusal ? { cause: refusal.why, evidence: {} } : because,',
  },
  {
    bug: 'a root that fell forgets what its jobs were told',
    file: 'machines/tree.ts',
    find: "unheard.push({ type: 'job.add', jobId, order });",
    replace: 'void [jobId, order];',
  },
  {
    bug: 'durationDoggy is not told of another end',
    file: 'machines/bigDogRecording.ts',
    find: "actions: [{ type: 'extend', params: ({ event }) => event }, 'tellEnd'],",
    replace: "actions: [{ type: 'extend', params: ({ event }) => event }],",
  },
  {
    bug: 'the end by the time of day is forgotten between two recorders',
    file: 'machines/bigDogKit.ts',
    find: 'isPastEnd(context.job, now()) ||',
    replace: '',
  },
  {
    bug: 'nobody looks again whether a recorder has recovered',
    file: 'machines/bigDogRecording.ts',
    find: "{ guard: 'isDown', actions: 'lookLater' },",
    replace: '',
  },
  {
    bug: 'a recorder counts as recovered before it records',
    file: 'machines/bigDogRecoveries.ts',
    find: 'bytes > 0 && settled > seen.settled',
    replace: 'settled >= seen.settled',
  },
  {
    bug: 'nobody looks whether a program muxes',
    file: 'machines/tempFileDoggy.ts',
    find: 'leash.strayFiles(context.jobId) !== undefined',
    replace: 'leash.strayFiles(context.jobId)?.sign === undefined && false',
  },
];

/** The worlds, what is planted in each, and how many runs have to find it. */
const WORLDS = [
  { world: 'tree', runsMax: 6_000, mutants: TREE_MUTANTS },
  { world: 'engine', runsMax: 3_000, mutants: ENGINE_MUTANTS },
] as const;
/** What the simulator is made of. */
const PARTS = ['machines', 'src', 'test/machines', 'test/simulation', 'package.json'];
const root = join(import.meta.dirname, '..', '..');
const print = (text: string) => void process.stdout.write(`${text}\n`);

interface Hunt {
  readonly world: string;
  readonly runsMax: number;
  readonly directory: string;
}

/** Returns what the simulator said of this mutant, or undefined when it survived. */
function hunt(
  { file, find, replace, bug }: Mutant,
  { world, runsMax, directory }: Hunt,
): string | undefined {
  for (const part of PARTS) cpSync(join(root, part), join(directory, part), { recursive: true });
  const path = join(directory, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(find).length !== 2)
    throw new Error(`"${bug}": the place to plant it is not there exactly once in ${file}`);
  writeFileSync(
    path,
    source.replace(find, () => replace),
  );
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['test/simulation/main.ts', '--world', world, '--runs', String(runsMax), '--seed', '1'],
    { cwd: directory, encoding: 'utf8', timeout: 180_000 },
  );
  if (status === 0) return undefined;
  const [first = '', second = ''] = stdout.split('\n');
  const law = second.split(':')[0];
  const runs = /after (\d+) runs/.exec(first)?.[1];
  if (runs) return `${law} after ${runs} runs`;
  if (first.startsWith('the regression')) return `${law} in a regression`;
  throw new Error(`"${bug}" broke the simulator instead of a law: ${stderr}`);
}

const wanted = process.argv.slice(2);
const hunts = WORLDS.flatMap(({ world, runsMax, mutants }) =>
  mutants
    .filter(
      ({ bug }) => wanted.length === 0 || wanted.some((word) => `${world} ${bug}`.includes(word)),
    )
    .map((mutant) => ({ world, runsMax, mutant })),
);
let survivors = 0;
for (const [index, { world, runsMax, mutant }] of hunts.entries()) {
  const directory = join(root, '.cache', 'mutants', `${process.pid}-${index}`);
  mkdirSync(directory, { recursive: true });
  const caught = hunt(mutant, { world, runsMax, directory });
  if (!caught) survivors += 1;
  print(`${caught ? 'caught  ' : 'SURVIVED'}  ${mutant.bug.padEnd(72)} ${caught ?? ''}`);
  rmSync(directory, { recursive: true, force: true });
}
print(`${survivors} of ${hunts.length} mutants survived`);
process.exitCode = survivors > 0 ? 1 : 0;
