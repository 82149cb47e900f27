import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { programMarkers } from '../../src/hosts/host/hostIdentity.ts';
import { pidAlive, signalReaches } from '../../src/process/procfs.ts';
import { HostBench, jobOf, until } from '../fixtures/hostBench.ts';

const benches: HostBench[] = [];
const strangers: number[] = [];

function setup(): HostBench {
  const bench = new HostBench();
  benches.push(bench);
  return bench;
}

/** A program with whatever marks, in a group of its own. */
function program(marks: Readonly<Record<string, string>>): number {
  const env = { PATH: process.env['PATH'], ...marks };
  const { pid } = spawn('sleep', ['300'], { detached: true, stdio: 'ignore', env });
  if (pid === undefined) throw new Error('sleep cannot be started');
  strangers.push(pid);
  return pid;
}

afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.close();
  for (const pid of strangers.splice(0)) if (signalReaches(-pid)) process.kill(-pid, 'SIGKILL');
});

/** Kills a supervisor, and with it all hosts at once, so that only their programs are left. */
async function leaveOnlyPrograms(bench: HostBench): Promise<number[]> {
  const script = join(import.meta.dirname, '../fixtures/hostSupervisor.ts');
  const child = spawn(process.execPath, [script, bench.root, 'program', 'a'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await until(async () => (await bench.programPids()).length === 3);
  child.kill('SIGKILL');
  await once(child, 'exit');
  process.kill(bench.hostPid('a'), 'SIGKILL');
  await until(() => !pidAlive(bench.hostPid('a')));
  return await bench.programPids();
}

describe.skipIf(process.platform !== 'linux')('programs whose host is gone (Linux)', () => {
  it('are found by their marks and ended at the start of the next life, and nobody else is', async () => {
    const bench = setup();
    const other = setup();
    const orphans = await leaveOnlyPrograms(bench);
    expect(orphans).toHaveLength(3);
    const node = other.runDirectory;
    const ofOther = program(programMarkers({ node, hostId: 'h-00000000' }));
    const unmarked = program({ KENNEL_JOB: 'a' });
    await bench.node().pool.start();
    expect(await bench.programPids()).toEqual([]);
    expect(orphans.filter((pid) => pidAlive(pid))).toEqual([]);
    expect([ofOther, unmarked].map((pid) => pidAlive(pid))).toEqual([true, true]);
  });

  it('are ended before anybody hears that the recorder is gone', async () => {
    const bench = setup();
    const { pool, take } = bench.node();
    await pool.start();
    const held = take(jobOf('a', 'program'));
    await held.started();
    await until(async () => (await bench.programPids()).length === 3);
    const before = await bench.programPids();
    process.kill(bench.hostPid('a'), 'SIGKILL');
    expect(await held.exit()).toMatchObject({ kind: 'crashed', why: 'host.died' });
    expect(before.filter((pid) => pidAlive(pid))).toEqual([]);
    const again = take(jobOf('a', 'program', 2));
    await again.started();
  });

  it('are left alone while their host lives, also by its next supervisor', async () => {
    const bench = setup();
    const first = bench.node();
    await first.pool.start();
    await first.take(jobOf('a', 'program')).started();
    const neighbour = first.take(jobOf('b', 'program'));
    await neighbour.started();
    await until(async () => (await bench.programPids()).length === 6);
    const before = await bench.programPids();
    await first.pool.stop({ leave: true });
    const second = bench.node();
    await second.pool.start();
    expect(await bench.programPids()).toEqual(before);
    await second.pool.stop();
    expect(await bench.programPids()).toEqual([]);
  });

  it('do not take a group with them that somebody else leads', async () => {
    const bench = setup();
    const node = bench.runDirectory;
    const marks = programMarkers({ node, hostId: 'h-00000000' });
    const env = { PATH: process.env['PATH'] };
    // The leader of the group is not marked; its child is.
    const assignments = Object.entries(marks).map(([name, value]) => `${name}=${value}`);
    const leader = spawn('sh', ['-c', 'env "$@" sleep 300 & sleep 300', 'sh', ...assignments], {
      detached: true,
      stdio: 'ignore',
      env,
    });
    const pid = leader.pid ?? Number.NaN;
    strangers.push(pid);
    await until(async () => (await bench.programPids()).length === 1);
    await bench.node().pool.start();
    expect(await bench.programPids()).toEqual([]);
    expect(pidAlive(pid)).toBe(true);
  });
});

describe('the signs of a program', () => {
  it('reach the supervisor, twice a second, small and readable whatever they were', async () => {
    const bench = setup();
    const { pool, take, leash } = bench.node();
    await pool.start();
    await take(jobOf('a', 'program')).started();
    await until(() => leash.progress('a').program !== undefined);
    const { program: signs } = leash.progress('a');
    expect(signs).toMatchObject({ run: 1, mediaMs: 0, cpuMs: 0, isFrozen: false });
    expect(leash.strayFiles('a')).toMatchObject({ sign: 'temp' });
    expect(leash.strayFiles('a')?.file.length).toBe(255);
    await until(() => (leash.progress('a').program?.agedMs ?? 0) > (signs?.agedMs ?? 0));
  });
});
