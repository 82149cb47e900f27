import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { pidAlive } from '../../src/process/procfs.ts';
import { HostBench, jobOf, until } from '../fixtures/hostBench.ts';

const benches: HostBench[] = [];

function setup(options?: ConstructorParameters<typeof HostBench>[0]): HostBench {
  const bench = new HostBench(options);
  benches.push(bench);
  return bench;
}

afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.close();
});

describe('a pool of recorder hosts', () => {
  it('starts no host before a job needs one, and leaves no process and no file', async () => {
    const bench = setup();
    const { pool, take } = bench.node();
    await pool.start();
    await pool.start();
    expect(await bench.hostPids()).toEqual([]);
    const held = take(jobOf('a'));
    await held.started();
    expect(await bench.hostPids()).toEqual([bench.hostPid('a')]);
    await pool.stop();
    await pool.stop();
    expect(await bench.hostPids()).toEqual([]);
    expect(bench.hostFiles()).toEqual([]);
    // What the host wrote down last: the recorder was let go, not stopped, so that it can be resumed.
    expect(bench.notes('a').at(-2)).toMatch(/kill quit$/);
    expect(await held.exit()).toMatchObject({ kind: 'crashed', retryable: true });
  });

  it('can be started again after it has stopped', async () => {
    const bench = setup();
    const { pool, take } = bench.node();
    await pool.start();
    await pool.stop();
    await pool.start();
    await take(jobOf('a')).started();
  });

  it('keeps its files from everybody else', async () => {
    const bench = setup();
    const { pool, take } = bench.node();
    await pool.start();
    await take(jobOf('a')).started();
    expect(statSync(bench.runDirectory).mode & 0o777).toBe(0o700);
    for (const name of bench.hostFiles()) {
      expect(statSync(join(bench.runDirectory, name)).mode & 0o777).toBe(0o600);
    }
  });

  it('shows the numbers of a recorder, and the last ones after its end', async () => {
    const bench = setup();
    const { pool, take, leash } = bench.node();
    await pool.start();
    const { hold, exit } = take(jobOf('a'));
    await until(() => leash.progress('a').beats > 0);
    hold.stop('over');
    expect(await exit()).toMatchObject({ kind: 'stopped', why: 'over' });
    expect(leash.progress('a').beats).toBeGreaterThan(0);
    expect(leash.holds('a')).toBe(false);
  });

  it('reports the end that a recorder found by itself', async () => {
    const bench = setup();
    const { pool, take } = bench.node();
    await pool.start();
    expect(await take(jobOf('a', 'end')).exit()).toMatchObject({ kind: 'ended', why: 'endlist' });
  });

  it('spreads recorders over hosts once the first carries its share, and puts more on the least loaded', async () => {
    const bench = setup();
    const { pool, take } = bench.node({ hosts: 2, limits: { recordersBeforeSpread: 1 } });
    await pool.start();
    await Promise.all(['a', 'b', 'c', 'd'].map((id) => take(jobOf(id)).started()));
    const pids = ['a', 'b', 'c', 'd'].map((id) => bench.hostPid(id));
    expect(new Set(pids).size).toBe(2);
    expect(pids.filter((pid) => pid === pids[0])).toHaveLength(2);
  });

  it('kills a recorder that ignores stop', async () => {
    const bench = setup();
    const { pool, take } = bench.node();
    await pool.start();
    const { hold, started, exit, news } = take(jobOf('a', 'stubborn'));
    await started();
    hold.stop('over');
    await until(() => bench.notes('a').some((note) => note.endsWith('stop over')));
    expect(news).toHaveLength(1);
    hold.kill('grace');
    expect(await exit()).toMatchObject({ kind: 'crashed', why: 'grace' });
    expect(pidAlive(bench.hostPid('a'))).toBe(true);
  });

  it('ends a recorder that was killed before its host was there, without ever running it', async () => {
    const bench = setup();
    const { pool, take, leash } = bench.node();
    await pool.start();
    const { hold, exit } = take(jobOf('a'));
    hold.kill('killed');
    expect(await exit()).toMatchObject({ why: 'killed' });
    expect(leash.holds('a')).toBe(false);
    await take(jobOf('b')).started();
    expect(bench.notes('a')).toEqual([]);
  });

  it('ends with the job what anybody still records', async () => {
    const bench = setup();
    const { pool, take, leash } = bench.node();
    await pool.start();
    const { started, exit } = take(jobOf('a'));
    await started();
    await leash.end('a', 'cancelled');
    expect(bench.notes('a').at(-1)).toMatch(/exit crashed cancelled$/);
    expect(await exit()).toMatchObject({ why: 'cancelled' });
    await leash.end('a', 'cancelled');
  });
});

describe('when something in a host goes wrong', () => {
  it('replaces a host that grows past its memory limit, and leaves its recordings in order', async () => {
    const bench = setup();
    const { pool, take, log } = bench.node({ limits: { memoryBytesMax: 200_000_000 } });
    await pool.start();
    const neighbour = take(jobOf('a'));
    await neighbour.started();
    const grown = bench.hostPid('a');
    expect(await take(jobOf('b', 'grow')).exit()).toMatchObject({ retryable: true });
    expect(await neighbour.exit()).toMatchObject({ kind: 'crashed', retryable: true });
    expect(bench.notes('a').at(-2)).toMatch(/kill quit$/);
    expect(log.filter((line) => line.includes('grown past its limit'))).toHaveLength(1);
    await take(jobOf('b', 'grow', 2)).started();
    expect(bench.hostPid('b')).not.toBe(grown);
    expect(pidAlive(grown)).toBe(false);
  });

  it('ends only the recorder that threw, and its neighbour records on', async () => {
    const bench = setup();
    const { pool, take, leash } = bench.node();
    await pool.start();
    await take(jobOf('good')).started();
    const exit = await take(jobOf('bad', 'throw')).exit();
    expect(exit).toMatchObject({ kind: 'crashed', why: 'recorder.crashed', retryable: true });
    expect(exit.evidence).toMatchObject({ error: 'the recorder has a fault' });
    expect(await take(jobOf('worse', 'refuse')).exit()).toMatchObject({ why: 'recorder.crashed' });
    expect(leash.holds('good')).toBe(true);
    expect(bench.notes('good')).toHaveLength(1);
  });

  it('falls as a whole when the recorder that threw does not let go', async () => {
    const bench = setup();
    const { pool, take } = bench.node();
    await pool.start();
    const good = take(jobOf('good'));
    await good.started();
    const stuck = await take(jobOf('bad', 'stuck')).exit();
    expect(stuck).toMatchObject({ why: 'host.died', evidence: { code: 70 } });
    expect(await good.exit()).toMatchObject({ why: 'host.died', retryable: true });
  });

  it('reports all recorders of a host killed with -9 within two seconds, and they go on in another', async () => {
    const bench = setup();
    const { pool, take } = bench.node();
    await pool.start();
    const held = ['a', 'b'].map((id) => take(jobOf(id)));
    await Promise.all(held.map(({ started }) => started()));
    const pid = bench.hostPid('a');
    const since = performance.now();
    process.kill(pid, 'SIGKILL');
    const exits = await Promise.all(held.map(({ exit }) => exit()));
    expect(performance.now() - since).toBeLessThan(2_000);
    const exit = { kind: 'crashed', why: 'host.died', retryable: true };
    expect(exits).toMatchObject([exit, exit]);
    expect(exits[0]?.evidence).toMatchObject({ pid, signal: 'SIGKILL' });
    await Promise.all(['a', 'b'].map((id) => take(jobOf(id, 'tick', 2)).started()));
    expect(bench.hostPid('a')).not.toBe(pid);
    expect(bench.hostPid('b')).toBe(bench.hostPid('a'));
  });

  it.each(['stopped by SIGSTOP', 'caught in an endless loop'])(
    'kills a host that is %s, and only then reports its recorders gone',
    async (how) => {
      const bench = setup();
      const { pool, take } = bench.node();
      await pool.start();
      const held = take(jobOf('a'));
      await held.started();
      const pid = bench.hostPid('a');
      if (how === 'stopped by SIGSTOP') process.kill(pid, 'SIGSTOP');
      else take(jobOf('b', 'hang'));
      const exit = await held.exit();
      expect(pidAlive(pid)).toBe(false);
      expect(exit).toMatchObject({ kind: 'crashed', why: 'host.silent', retryable: true });
    },
  );

  it('kills the host when a recorder ignores kill, and only then reports it gone', async () => {
    const bench = setup();
    const { pool, take } = bench.node();
    await pool.start();
    const deaf = take(jobOf('deaf', 'deaf'));
    const other = take(jobOf('other'));
    await Promise.all([deaf.started(), other.started()]);
    const pid = bench.hostPid('deaf');
    deaf.hold.kill('grace');
    expect(await deaf.exit()).toMatchObject({ kind: 'crashed', why: 'host.ignoredKill' });
    expect(pidAlive(pid)).toBe(false);
    expect(await other.exit()).toMatchObject({ kind: 'crashed', retryable: true });
  });

  it('is not left with a host that ignores quit', async () => {
    const bench = setup();
    const { pool, take } = bench.node({ limits: { quitWaitMs: 200 } });
    await pool.start();
    await take(jobOf('a')).started();
    process.kill(bench.hostPid('a'), 'SIGSTOP');
    await pool.stop();
    expect(await bench.hostPids()).toEqual([]);
    expect(bench.hostFiles()).toEqual([]);
  });

  it('reports a host that cannot even start', async () => {
    const bench = setup();
    writeFileSync(join(bench.root, 'broken.ts'), 'throw new Error("no host today");');
    const { pool, take } = bench.node({ entry: join(bench.root, 'broken.ts') });
    await pool.start();
    const exit = await take(jobOf('a')).exit();
    expect(exit).toMatchObject({ kind: 'crashed', why: 'host.unstartable', evidence: { code: 1 } });
    expect(readdirSync(bench.logDirectory)).toHaveLength(1);
  });

  it('reports a Node that does not exist, without throwing at whoever takes the job', async () => {
    const bench = setup();
    const { pool, take } = bench.node({ execPath: join(bench.root, 'no-node') });
    await pool.start();
    expect(await take(jobOf('a')).exit()).toMatchObject({ why: 'host.unstartable' });
  });

  it('refuses an order that is too long to be told, and harms nobody by it', async () => {
    const bench = setup();
    const { pool, take } = bench.node();
    await pool.start();
    await take(jobOf('a')).started();
    const long = jobOf('long');
    const spec = { ...long.spec, headers: { cookie: 'x'.repeat(5_000_000) } };
    const exit = await take({ ...long, spec }).exit();
    expect(exit).toMatchObject({ kind: 'failed', why: 'limit.exceeded', retryable: false });
    expect(bench.notes('a')).toHaveLength(1);
  });
});
