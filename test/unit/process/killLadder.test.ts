import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { groupIsEmpty, killLadder, type Rung } from '../../../src/process/killLadder.ts';
import { groupMembers, startTicksOf } from '../../../src/process/procfs.ts';

const RUNGS: readonly Rung[] = [
  { signal: 'SIGINT', waitMs: 150 },
  { signal: 'SIGTERM', waitMs: 150 },
  { signal: 'SIGKILL', waitMs: 2_000 },
];

/** A shell in a group of its own; resolves once it has printed something, so that its traps are set. */
async function shell(script: string) {
  const child = spawn('sh', ['-c', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  const pid = child.pid ?? Number.NaN;
  return { child, pid, startTicks: startTicksOf(pid) };
}

const climb = (target: { pid: number; startTicks: number | undefined }): Promise<boolean> =>
  killLadder({ pid: target.pid, startTicks: target.startTicks, rungs: RUNGS, clock: systemClock });

describe('killLadder', () => {
  it('ends a process that obeys the first signal with that signal', async () => {
    const target = await shell('echo up; exec sleep 30');
    const exit = once(target.child, 'exit');
    expect(await climb(target)).toBe(true);
    expect(await exit).toEqual([null, 'SIGINT']);
  });

  it('goes up to SIGKILL for one that ignores the others', async () => {
    const target = await shell('trap "" INT TERM; echo up; sleep 30; sleep 30');
    const exit = once(target.child, 'exit');
    expect(await climb(target)).toBe(true);
    expect(await exit).toEqual([null, 'SIGKILL']);
  });

  it('ends the whole group, also when its leader is gone before', async () => {
    const target = await shell('trap "" INT; sleep 30 & echo up');
    await once(target.child, 'exit');
    expect(await groupMembers(target.pid)).toHaveLength(1);
    expect(await climb(target)).toBe(true);
    expect(await groupIsEmpty(target.pid)).toBe(true);
  });

  it('leaves a process alone that only has the pid of the one that was meant', async () => {
    const target = await shell('echo up; exec sleep 30');
    const stale = { pid: target.pid, startTicks: (target.startTicks ?? 1) - 1 };
    expect(await climb(stale)).toBe(true);
    expect(await groupIsEmpty(target.pid, target.startTicks)).toBe(false);
    await climb(target);
  });

  it('is content with a group that is gone already', async () => {
    const target = await shell('echo up');
    await once(target.child, 'exit');
    expect(await climb(target)).toBe(true);
  });
});
