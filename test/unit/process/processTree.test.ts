import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { ProcessTree } from '../../../src/process/processTree.ts';
import { insideOf, isFrozen } from '../../../src/process/programParties.ts';
import { endMarked, ProgramProcesses } from '../../../src/process/programProcesses.ts';

const children: ChildProcess[] = [];

async function shell(script: string, env: Record<string, string> = {}): Promise<number> {
  const child = spawn('sh', ['-c', script], { detached: true, env: { ...process.env, ...env } });
  children.push(child);
  await once(child, 'spawn');
  return child.pid ?? Number.NaN;
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe.runIf(process.platform === 'linux')('the processes of a program', () => {
  it('are seen with all that they started', async () => {
    const tree = new ProcessTree(await shell('sleep 30 & (sleep 30 & wait) & wait'));
    const seen = async () => (await tree.look()).processes.length;
    await expect.poll(seen).toBe(4);
    const { residentBytes, processes } = await tree.look();
    expect(residentBytes).toBeGreaterThan(100_000);
    for (const { pid } of processes) process.kill(pid, 'SIGKILL');
    await expect.poll(seen).toBe(0);
  });

  it('belong to it still when they have lost their parent', async () => {
    const leader = await shell('(sleep 30 & exec sleep 0.3) & exec sleep 30');
    const tree = new ProcessTree(leader);
    const parents = async () => (await tree.look()).processes.map(({ parent }) => parent);
    await expect.poll(async () => (await parents()).length).toBe(3);
    await expect.poll(async () => (await parents()).length).toBe(2);
    expect(await parents()).not.toContain(leader);
    for (const { pid } of (await tree.look()).processes) process.kill(pid, 'SIGKILL');
  });

  it('have used what those used that are gone', async () => {
    const burn = 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done';
    const tree = new ProcessTree(await shell(`sh -c '${burn}'; exec sleep 30`));
    await expect
      .poll(async () => (await tree.look()).processes[0]?.name, { timeout: 20_000 })
      .toBe('sleep');
    const { cpuMs } = await tree.look();
    expect(cpuMs).toBeGreaterThan(10);
    expect((await tree.look()).cpuMs).toBeGreaterThanOrEqual(cpuMs);
  });

  it('are frozen when every one of them is stopped', async () => {
    const leader = await shell('sleep 30 & wait');
    const tree = new ProcessTree(leader);
    await expect.poll(async () => (await tree.look()).processes.length).toBe(2);
    const frozen = async () => isFrozen(insideOf((await tree.look()).processes, leader));
    process.kill(leader, 'SIGSTOP');
    expect(await frozen()).toBe(false);
    process.kill(-leader, 'SIGSTOP');
    await expect.poll(frozen).toBe(true);
    process.kill(-leader, 'SIGCONT');
    await expect.poll(frozen).toBe(false);
  });

  it('are all ended, those too that have left the group and lost their parents', async () => {
    const KENNEL_JOB = `tree-${process.pid}`;
    const leader = await shell('setsid sh -c "setsid sleep 30 & sleep 30" & exec sleep 30', {
      KENNEL_JOB,
    });
    const processes = new ProgramProcesses(leader, KENNEL_JOB);
    await expect.poll(async () => (await processes.living()).length).toBe(4);
    expect(await processes.endAll(systemClock, 5_000)).toEqual([]);
    expect(await processes.living()).toEqual([]);
  });

  it('of an earlier life are found by their mark', async () => {
    const KENNEL_JOB = `orphans-${process.pid}`;
    await shell('setsid sleep 30 & sleep 30', { KENNEL_JOB });
    const end = () => endMarked(KENNEL_JOB, { clock: systemClock, withinMs: 5_000 });
    expect(await end()).toBeGreaterThanOrEqual(1);
    expect(await end()).toBe(0);
  });
});

it('stand apart from what is only around the program', () => {
  const stat = (pid: number, parent: number, state = 'S') => ({
    ...{ pid, parent, state, name: 'x', group: 1, startTicks: pid, cpuTicks: 0, childTicks: 0 },
    threads: 1,
  });
  const tree = [stat(1, 0), stat(2, 1), stat(3, 2, 'T'), stat(4, 3, 'T'), stat(5, 2, 't')];
  const inside = insideOf(tree, 3);
  expect(inside.map(({ pid }) => pid)).toEqual([3, 4, 5]);
  expect(isFrozen(inside)).toBe(true);
  expect(insideOf(tree, undefined)).toEqual([]);
  expect(isFrozen([])).toBe(false);
});
