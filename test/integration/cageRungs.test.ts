import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CAGE_RUNGS, type Cage, type CagedProgram, type CageRung } from '../../src/cage/cage.ts';
import { type CageOptions, openCage } from '../../src/cage/openCage.ts';
import { programPidOf } from '../../src/cage/programPid.ts';
import { systemClock } from '../../src/core/clock.ts';
import { childrenOf, pidAlive } from '../../src/process/procfs.ts';
import { sendSignal } from '../../src/process/programProcesses.ts';
import { spawnCaged, startTrial } from '../unit/cage/cageTrial.ts';

const searchPath = process.env['PATH'] ?? '';
let root: string;
const cages: Cage[] = [];

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'kennel-rungs-')));
  mkdirSync(join(root, 'work'));
});
afterEach(() => {
  for (const cage of cages.splice(0)) cage.close();
  rmSync(root, { recursive: true });
});

async function open(more: Partial<CageOptions> = {}): Promise<Cage> {
  const cage = await openCage({
    mode: 'auto',
    searchPath,
    nodePath: process.execPath,
    runDirectory: join(root, 'run'),
    clock: systemClock,
    log: () => {},
    ...more,
  });
  cages.push(cage);
  return cage;
}

const shell = (script: string, more: Partial<CagedProgram> = {}): CagedProgram => ({
  profile: 'local',
  file: '/bin/sh',
  arguments: ['-c', script],
  environment: {},
  workDirectory: join(root, 'work'),
  limits: { fileBytesMax: 1_000_000, openFilesMax: 64, processesMax: 32 },
  ...more,
});

async function outputOf(cage: Cage, program: CagedProgram): Promise<string> {
  const child = spawnCaged(cage.command(program, 3));
  if (child.stdout === null) throw new Error('The program has no output.');
  const [said] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return said.trim();
}

/** Which rungs this machine has, found once. */
const here = new Map<CageRung, string | undefined>();
for (const best of CAGE_RUNGS) {
  const directory = mkdtempSync(join(tmpdir(), 'kennel-rungs-'));
  const { report } = await openCage({
    mode: 'auto',
    searchPath,
    nodePath: process.execPath,
    runDirectory: directory,
    clock: systemClock,
    log: () => {},
    best,
  });
  here.set(best, report.rung === best ? undefined : (report.missing[0]?.problem ?? 'not there'));
  rmSync(directory, { recursive: true });
}
const on = (rung: CageRung) => it.skipIf(here.get(rung) !== undefined);
const skipped = (rung: CageRung) =>
  here.get(rung) === undefined ? '' : ` (skipped: ${here.get(rung)})`;

describe('the rungs of the ladder', () => {
  on('noProc')(
    `noProc closes files and network, and has no /proc${skipped('noProc')}`,
    async () => {
      const cage = await open({ best: 'noProc', mode: 'required' });
      const network = await cage.network({ tcp: 1, udp: 0 });
      expect(network.isSealed).toBe(true);
      const said = await outputOf(
        cage,
        shell('ls -A /proc /root 2>&1; echo "pid $$"', { network, profile: 'fetch' }),
      );
      expect(said).toMatch(/proc.*\n.*root.*\npid \d$/);
    },
  );

  on('noNetwork')(
    `noNetwork closes files only, and looks names up${skipped('noNetwork')}`,
    async () => {
      const cage = await open({ best: 'noNetwork' });
      const network = await cage.network({ tcp: 1, udp: 0 });
      expect(network.isSealed).toBe(false);
      const script =
        '[ -e /root ] && echo root; readlink /proc/self/ns/net; ls /etc | grep -c resolv';
      const said = await outputOf(cage, shell(script, { network, profile: 'fetch' }));
      const own = await outputOf(await open({ mode: 'off' }), shell('readlink /proc/self/ns/net'));
      expect(said.split('\n')).toEqual([own, '1']);
    },
  );

  on('limits')(`limits bounds files and takes privileges away${skipped('limits')}`, async () => {
    const cage = await open({ best: 'limits' });
    const script =
      'grep NoNewPrivs /proc/self/status; ulimit -c; (head -c 5000000 /dev/zero > big) 2>/dev/null; echo "$HOME"';
    const said = await outputOf(cage, shell(script));
    expect(said.split('\n')).toEqual(['NoNewPrivs:\t1', '0', join(root, 'work')]);
    expect(statSync(join(root, 'work/big')).size).toBe(1_000_000);
  });

  on('limits')(
    `limits ends a program with the process that started it${skipped('limits')}`,
    async () => {
      const trial = startTrial({
        cage: { best: 'limits', runDirectory: join(root, 'run'), searchPath },
        file: '/bin/sleep',
        arguments: ['300'],
        workDirectory: join(root, 'work'),
      });
      const { outerPid } = await trial.start;
      expect(pidAlive(outerPid)).toBe(true);
      process.kill(trial.hostPid, 'SIGKILL');
      for (let tries = 0; tries < 500 && pidAlive(outerPid); tries++) await sleep(20);
      expect(pidAlive(outerPid)).toBe(false);
    },
  );

  it('none lets a program be found and asked to end all the same', async () => {
    const cage = await open({ mode: 'off' });
    const child = spawnCaged(
      cage.command(shell("trap 'exit 5' INT; echo on; while :; do sleep 0.05; done"), 3),
    );
    await once(child.stdout ?? child, 'data');
    const pid = child.pid ?? 0;
    expect(await programPidOf(pid)).toBe(pid);
    sendSignal(pid, 'SIGINT');
    expect(await once(child, 'close')).toEqual([5, null]);
    expect(await programPidOf(pid)).toBeUndefined();
  });

  on('full')(
    `full works with a bubblewrap that cannot limit a tmpfs${skipped('full')}`,
    async () => {
      mkdirSync(join(root, 'bin'));
      const real = searchPath
        .split(':')
        .map((directory) => join(directory, 'bwrap'))
        .find((path) => statSync(path, { throwIfNoEntry: false }));
      const old = `#!/bin/sh\nfor word; do if [ "$word" = --size ]; then echo "bwrap: Unknown option --size" >&2; exit 1; fi; done\nexec ${real} "$@"\n`;
      writeFileSync(join(root, 'bin/bwrap'), old);
      chmodSync(join(root, 'bin/bwrap'), 0o755);
      const cage = await open({ searchPath: `${join(root, 'bin')}:${searchPath}` });
      expect(cage.report).toMatchObject({ rung: 'full', missing: [] });
      expect(await outputOf(cage, shell('echo fine'))).toBe('fine');
    },
  );
});

describe.skipIf(here.get('full') !== undefined)(`a sealed network${skipped('full')}`, () => {
  const ask = 'exec 3<>/dev/tcp/127.0.0.1/$PORT && cat <&3';
  const bash = (port: number, network: CagedProgram['network']): CagedProgram =>
    shell('', {
      file: '/bin/bash',
      arguments: ['-c', ask],
      environment: { PORT: String(port) },
      profile: 'fetch',
      ...(network !== undefined && { network }),
    });

  it('has as many listeners as were asked for, which answer inside and not outside', async () => {
    const cage = await open();
    const network = await cage.network({ tcp: 2, udp: 1 });
    const [first, second] = [await network.tcp(), await network.tcp()];
    await expect(network.tcp()).rejects.toMatchObject({ code: 'limit.exceeded' });
    await network.udp();
    await expect(network.udp()).rejects.toMatchObject({ code: 'limit.exceeded' });
    first.server.on('connection', (socket) => socket.end('first'));
    second.server.on('connection', (socket) => socket.end('second'));
    expect(await outputOf(cage, bash(second.port, network))).toBe('second');
    expect(await outputOf(cage, bash(first.port, network))).toBe('first');
    const [error] = await once(connect(first.port, first.host), 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('is of no use to a program in another one, nor when it is closed', async () => {
    const cage = await open();
    const [one, other] = [
      await cage.network({ tcp: 1, udp: 0 }),
      await cage.network({ tcp: 1, udp: 0 }),
    ];
    const { server, port } = await one.tcp();
    server.on('connection', (socket) => socket.end('one'));
    expect(await outputOf(cage, bash(port, other))).toBe('');
    expect(await outputOf(cage, bash(port, one))).toBe('one');
    one.close();
    one.close();
    expect(() => cage.command(bash(port, one), 3)).toThrow('closed');
  });

  it('costs no process, and no descriptor once it is closed', async () => {
    const cage = await open();
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const warm = await cage.network({ tcp: 1, udp: 1 });
    warm.close();
    await sleep(50);
    const before = descriptors();
    const childrenBefore = await childrenOf(process.pid);
    const network = await cage.network({ tcp: 2, udp: 2 });
    expect(await childrenOf(process.pid)).toEqual(childrenBefore);
    expect(descriptors()).toBeGreaterThan(before);
    network.close();
    await sleep(50);
    expect(descriptors()).toBeLessThanOrEqual(before);
  });

  it('is a mistake of the caller when it is left out, or is another cage’s', async () => {
    const cage = await open();
    const elsewhere = await (await open({ mode: 'off' })).network({ tcp: 1, udp: 0 });
    expect(() => cage.command(bash(1, undefined), 3)).toThrow('needs a network');
    expect(() => cage.command(bash(1, elsewhere), 3)).toThrow('not of this cage');
  });
});

it.skipIf(here.get('full') !== undefined)(
  `no secret of the environment is in the arguments of a command${skipped('full')}`,
  async () => {
    const cage = await open();
    const network = await cage.network({ tcp: 1, udp: 0 });
    const environment = { https_proxy: 'http://user:hush@127.0.0.1:1' };
    const command = cage.command(shell('true', { environment, network, profile: 'fetch' }), 3);
    expect(JSON.stringify(command.arguments)).not.toContain('hush');
    expect(command.environment).toMatchObject(environment);
  },
);
