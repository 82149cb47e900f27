import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import {
  childrenOf,
  groupMembers,
  pidAlive,
  processesWithEnvironment,
  startTicksOf,
  statOf,
} from '../../../src/process/procfs.ts';

const children: ChildProcess[] = [];

async function sleeper(environment: Record<string, string> = {}): Promise<number> {
  const child = spawn('sleep', ['30'], { detached: true, env: { ...process.env, ...environment } });
  children.push(child);
  await once(child, 'spawn');
  return child.pid ?? Number.NaN;
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe.runIf(process.platform === 'linux')('procfs', () => {
  it('knows a process by its pid and the time it started', async () => {
    const pid = await sleeper();
    const startTicks = startTicksOf(pid);
    expect(startTicks).toBeGreaterThan(0);
    expect(pidAlive(pid)).toBe(true);
    expect(pidAlive(pid, startTicks)).toBe(true);
  });

  it('counts the threads of a process', async () => {
    expect(statOf(await sleeper())?.threads).toBe(1);
    // Node has some for its files and its garbage.
    expect(statOf(process.pid)?.threads).toBeGreaterThan(1);
  });

  it('does not take a process for another that had its pid before', async () => {
    const pid = await sleeper();
    expect(pidAlive(pid, (startTicksOf(pid) ?? 0) - 1)).toBe(false);
  });

  it('counts a process that has ended and was not reaped as dead', async () => {
    // The shell does not wait for its child, so the child stays a zombie for as long as the shell sleeps.
    const parent = spawn('sh', ['-c', 'true & exec sleep 30'], { detached: true });
    children.push(parent);
    const isZombie = async (): Promise<boolean> =>
      parent.pid !== undefined &&
      (await childrenOf(parent.pid)).length === 0 &&
      (await groupMembers(parent.pid)).length === 1;
    await expect.poll(isZombie).toBe(true);
  });

  it('finds the children and the group of a process', async () => {
    const pid = await sleeper();
    expect(await childrenOf(process.pid)).toContain(pid);
    expect(await groupMembers(pid)).toEqual([pid]);
  });

  it('finds processes by a whole variable of their environment', async () => {
    const pid = await sleeper({ KENNEL_TEST_MARKER: `m-${process.pid}` });
    const found = () => processesWithEnvironment('KENNEL_TEST_MARKER', `m-${process.pid}`);
    await expect.poll(found).toEqual([pid]);
    expect(
      await processesWithEnvironment('KENNEL_TEST_MARKER', `m-${process.pid}`.slice(0, -1)),
    ).toEqual([]);
    expect(await processesWithEnvironment('TEST_MARKER', `m-${process.pid}`)).toEqual([]);
  });
});
