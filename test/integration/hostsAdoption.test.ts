import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { pidAlive, startTicksOf } from '../../src/process/procfs.ts';
import { HostBench, jobOf, until } from '../fixtures/hostBench.ts';

const benches: HostBench[] = [];

function setup(options?: ConstructorParameters<typeof HostBench>[0]): HostBench {
  const bench = new HostBench(options);
  benches.push(bench);
  return bench;
}

/** A supervisor in its own process, with a recorder for each job, that dies of SIGKILL before this resolves. */
async function deadSupervisor(bench: HostBench, behaviour: string, ...jobIds: string[]) {
  const script = join(import.meta.dirname, '../fixtures/hostSupervisor.ts');
  const child = spawn(process.execPath, [script, bench.root, behaviour, ...jobIds], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
}

afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.close();
});

describe('the successor of a supervisor', () => {
  it('adopts what a supervisor killed with -9 left recording, and costs it nothing', async () => {
    const bench = setup();
    await deadSupervisor(bench, 'tick', 'a', 'b');
    const { pool, take, leash } = bench.node();
    await pool.start();
    expect(leash.holds('a')).toBe(true);
    expect(leash.progress('a').beats).toBeGreaterThan(0);
    const held = take(jobOf('a'));
    await held.started();
    expect(held.news).toEqual([{ type: 'recorder.started', at: 1_000 }]);
    expect(bench.notes('a')).toHaveLength(1);
    held.hold.stop('over');
    expect(await held.exit()).toMatchObject({ kind: 'stopped', why: 'over' });
    await pool.stop();
    expect(await bench.hostPids()).toEqual([]);
    expect(bench.hostFiles()).toEqual([]);
  });

  it('hears of an end that came while nobody was there', async () => {
    const bench = setup();
    const first = bench.node();
    await first.pool.start();
    const { hold, started } = first.take(jobOf('a', 'end'));
    await started();
    hold.release();
    await first.pool.stop({ leave: true });
    await until(() => bench.notes('a').at(-1)?.endsWith('exit ended endlist') ?? false);
    for (const life of ['unheard', 'heard']) {
      const { pool, take } = bench.node();
      await pool.start();
      if (life === 'heard') {
        const exit = await take(jobOf('a')).exit();
        expect(exit).toMatchObject({ kind: 'ended', why: 'endlist' });
        expect(bench.notes('a').filter((note) => note.endsWith('begin'))).toHaveLength(1);
      }
      await pool.stop({ leave: true });
    }
    const last = bench.node();
    await last.pool.start();
    await last.take(jobOf('a', 'tick')).started();
    expect(bench.notes('a').filter((note) => note.endsWith('begin'))).toHaveLength(2);
  });

  it('goes on with an upgrade where the former supervisor left', async () => {
    const bench = setup();
    const first = bench.node();
    await first.pool.start();
    await first.take(jobOf('a')).started();
    await first.pool.stop({ leave: true });
    const second = bench.node();
    await second.pool.start();
    expect(second.leash.holds('a')).toBe(true);
    expect(bench.notes('a')).toHaveLength(1);
  });

  it('finds nothing after the grace: the recordings were left in order and the host is gone', async () => {
    const bench = setup();
    const first = bench.node({ limits: { orphanGraceMs: 300 } });
    await first.pool.start();
    await first.take(jobOf('a')).started();
    const pid = bench.hostPid('a');
    await first.pool.stop({ leave: true });
    await until(() => !pidAlive(pid));
    expect(
      bench
        .notes('a')
        .slice(-2)
        .map((note) => note.split(' ').slice(2).join(' ')),
    ).toEqual(['kill orphaned', 'exit crashed orphaned']);
    expect(bench.hostFiles()).toEqual([]);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'finds recordings in order when the host was told to go by %s, and SIGHUP does not matter',
    async (signal) => {
      const bench = setup();
      const { pool, take } = bench.node();
      await pool.start();
      const held = take(jobOf('a'));
      await held.started();
      process.kill(bench.hostPid('a'), 'SIGHUP');
      process.kill(bench.hostPid('a'), signal);
      expect(await held.exit()).toMatchObject({ kind: 'crashed', why: signal, retryable: true });
      expect(bench.notes('a').some((note) => note.endsWith('SIGHUP'))).toBe(false);
      await take(jobOf('a', 'tick', 2)).started();
    },
  );

  it('ends a recorder that its predecessor had killed before it could see it gone', async () => {
    const bench = setup();
    const first = bench.node({ limits: { killAnswerMs: 60_000 } });
    await first.pool.start();
    const { hold, started } = first.take(jobOf('a', 'deaf'));
    await started();
    hold.kill('silent');
    await until(() => bench.notes('a').at(-1)?.endsWith('kill silent') ?? false);
    const pid = bench.hostPid('a');
    await first.pool.stop({ leave: true });
    const second = bench.node();
    await second.pool.start();
    const held = second.take(jobOf('a', 'tick', 2));
    await held.started();
    expect(pidAlive(pid)).toBe(false);
    expect(held.news).toEqual([{ type: 'recorder.started', at: 1_000 }]);
  });

  it('kills a host that it cannot reach before it starts anything', async () => {
    const bench = setup();
    await deadSupervisor(bench, 'tick', 'a');
    const pid = bench.hostPid('a');
    for (const name of bench.hostFiles()) rmSync(join(bench.runDirectory, name));
    const { pool, leash } = bench.node();
    await pool.start();
    expect(pidAlive(pid)).toBe(false);
    expect(leash.holds('a')).toBe(false);
  });

  it('kills a host that hangs', async () => {
    const bench = setup();
    await deadSupervisor(bench, 'tick', 'a');
    const pid = bench.hostPid('a');
    process.kill(pid, 'SIGSTOP');
    const { pool, leash } = bench.node();
    await pool.start();
    expect(pidAlive(pid)).toBe(false);
    expect(leash.holds('a')).toBe(false);
    expect(bench.hostFiles()).toEqual([]);
  });
});

describe('what dead hosts left', () => {
  it('is removed, and a process that only has the pid of one is left alone', async () => {
    const bench = setup();
    await deadSupervisor(bench, 'tick', 'a');
    const pid = bench.hostPid('a');
    process.kill(pid, 'SIGKILL');
    await until(() => !pidAlive(pid));
    expect(bench.hostFiles()).toHaveLength(2);
    const bystander = spawn('sleep', ['30'], { detached: true, stdio: 'ignore' });
    const reused = { pid: bystander.pid ?? 0, startTicks: 1, startedAt: 1 };
    writeFileSync(join(bench.runDirectory, 'h-00000001.json'), JSON.stringify(reused));
    const { pool, leash } = bench.node();
    await pool.start();
    expect(bench.hostFiles()).toEqual([]);
    expect(leash.holds('a')).toBe(false);
    expect(pidAlive(reused.pid)).toBe(true);
    bystander.kill('SIGKILL');
  });

  it('is removed when the host that wrote it hangs up on everybody', async () => {
    const bench = setup();
    const { pool } = bench.node();
    await pool.start();
    await pool.stop();
    // A living process with the right start time, whose socket leads to something that is no host.
    const impostor = spawn('sleep', ['30'], { detached: true, stdio: 'ignore' });
    const pid = impostor.pid ?? 0;
    const server = createServer((socket) => socket.destroy());
    server.listen(join(bench.runDirectory, 'h-00000002.sock'));
    await once(server, 'listening');
    const file = { pid, startTicks: startTicksOf(pid), startedAt: 1 };
    writeFileSync(join(bench.runDirectory, 'h-00000002.json'), JSON.stringify(file));
    await pool.start();
    expect(pidAlive(pid)).toBe(false);
    expect(bench.hostFiles()).toEqual([]);
    server.close();
  });
});

describe('two supervisors of one run directory', () => {
  it('do not both record: the newer has everything, and the older starts nothing any more', async () => {
    const bench = setup();
    const older = bench.node();
    await older.pool.start();
    const held = older.take(jobOf('a'));
    await held.started();
    const newer = bench.node();
    await newer.pool.start();
    expect(newer.leash.holds('a')).toBe(true);
    await until(() => older.log.some((line) => line.startsWith('error Another supervisor')));
    const superseded = { kind: 'failed', why: 'host.superseded', retryable: false };
    expect(await older.take(jobOf('b')).exit()).toMatchObject(superseded);
    // The older one kills what it believes to be its own: it hears that it is over, and the recording goes on.
    held.hold.kill('silent');
    expect(await held.exit()).toMatchObject(superseded);
    const taken = newer.take(jobOf('a'));
    await taken.started();
    await older.pool.stop();
    expect(newer.leash.holds('a')).toBe(true);
    expect(bench.notes('a')).toHaveLength(1);
    expect(bench.notes('b')).toEqual([]);
  });
});

describe('a run directory with a long path', () => {
  it('does not keep hosts from being found again', async () => {
    const bench = setup({ runName: 'directory-with-a-long-name'.repeat(5) });
    const first = bench.node();
    await first.pool.start();
    await first.take(jobOf('a')).started();
    await first.pool.stop({ leave: true });
    const second = bench.node();
    await second.pool.start();
    expect(second.leash.holds('a')).toBe(true);
    await second.pool.stop();
    expect(await bench.hostPids()).toEqual([]);
  });
});
