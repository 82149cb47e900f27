import { execFileSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { programPidOf } from '../../src/cage/programPid.ts';
import { pidAlive, processesWithEnvironment } from '../../src/process/procfs.ts';
import { sendSignal } from '../../src/process/programProcesses.ts';
import { startTrial, type Trial, type TrialEnd, type TrialOrder } from '../unit/cage/cageTrial.ts';

const NOBODY = 65_534;
const searchPath = process.env['PATH'] ?? '';
const isRoot = process.geteuid?.() === 0;

let root: string;
let mark: string;
let serial = 0;

function prepare(): void {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'kennel-cage-')));
  chmodSync(root, 0o755);
  mark = `${process.pid}-${++serial}`;
  for (const name of ['run', 'work', 'other']) {
    mkdirSync(join(root, name));
    chmodSync(join(root, name), name === 'other' ? 0o755 : 0o700);
  }
  writeFileSync(join(root, 'other/media.ts'), 'another job’s media');
}

interface Kind {
  readonly name: string;
  readonly cage: Partial<TrialOrder['cage']>;
  readonly user?: number;
}

const KINDS: readonly Kind[] = isRoot
  ? [
      { name: 'root, with a user for each program', cage: {} },
      { name: 'root, in a user namespace', cage: { avoidsRootsWay: true } },
      { name: 'nobody', cage: {}, user: NOBODY },
    ]
  : [{ name: 'an ordinary user', cage: {} }];

function run(kind: Kind, order: Partial<TrialOrder> & { script?: string }): Trial {
  const { script, ...rest } = order;
  if (kind.user !== undefined) {
    for (const name of ['run', 'work']) chownSync(join(root, name), kind.user, kind.user);
  }
  return startTrial(
    {
      file: '/bin/sh',
      arguments: ['-c', script ?? 'true'],
      workDirectory: join(root, 'work'),
      ...rest,
      cage: {
        runDirectory: join(root, 'run'),
        searchPath,
        marker: { KENNEL_TEST_CAGE: mark },
        ...kind.cage,
        ...order.cage,
      },
    },
    kind.user,
  );
}

const outputOf = async (trial: Trial): Promise<TrialEnd> => await trial.end;

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 500; tries++) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(20);
  }
  throw new Error(`never came: ${what}`);
}

const marked = async () => await processesWithEnvironment('KENNEL_TEST_CAGE', mark);
/** A process that is ending has no environment any more, so those whose pids are known are asked for by pid as well. */
const allGone = async () => ((await marked()).length === 0 ? true : undefined);

function toolNamed(name: string): string | undefined {
  return searchPath
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Why there is no full cage of this kind here; undefined when there is. */
async function whyNot(kind: Kind): Promise<string | undefined> {
  prepare();
  try {
    const { report } = await run(kind, {}).start;
    return report.rung === 'full' ? undefined : report.missing[0]?.problem;
  } catch (error) {
    return String(error).slice(0, 120);
  } finally {
    rmSync(root, { recursive: true });
  }
}

const servers: Server[] = [];
beforeEach(prepare);
afterEach(async () => {
  for (const pid of await marked()) process.kill(pid, 'SIGKILL');
  rmSync(root, { recursive: true });
});
afterAll(() => {
  for (const server of servers) server.close();
});

async function canary(host: string): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}).end('canary'));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Says for each of its arguments (`host:port`, `@name`) what answers there, and what was said. */
const KNOCK = `
for (const target of process.argv.slice(2)) {
  const [host, port] = target.split(':');
  const socket = require('node:net').connect(target[0] === '@' ? { path: '\\0' + target.slice(1) } : { host, port: Number(port) });
  let said = '';
  socket.setTimeout(1500, () => socket.destroy(new Error('silence')));
  socket.on('data', (data) => { said += data; }).on('error', (error) => { said = error.code ?? error.message; });
  socket.on('close', () => console.log(target + ' ' + said));
}`;

const perl = toolNamed('perl');
const kinds: (Kind & { readonly problem: string | undefined })[] = [];
for (const kind of KINDS) kinds.push({ ...kind, problem: await whyNot(kind) });

for (const kind of kinds) {
  const skipped = kind.problem === undefined ? '' : ` (skipped: ${kind.problem})`;
  describe.skipIf(kind.problem !== undefined)(`a full cage as ${kind.name}${skipped}`, () => {
    it('shows neither secrets nor other jobs, and lets nothing be written but its work', async () => {
      const secret = join(root, 'secret');
      writeFileSync(secret, 'canary');
      writeFileSync(join(root, 'shown'), 'shown');
      const { stdout, stderr } = await outputOf(
        run(kind, {
          readable: [join(root, 'shown')],
          script: `
            for path in ${secret} ${root}/other/media.ts ${root}/run/seccomp.bpf /etc/passwd /etc/shadow /root /home /var /run /sys; do
              if [ -e $path ]; then echo "sees $path"; fi
            done
            cat ${root}/shown; echo
            ls ${root} | tr '\\n' ' '; echo
            for path in /x /usr/x /dev/x /etc/x ${root}/shown; do (: >> $path) 2>/dev/null && echo "wrote $path"; done
            echo mine > mine && echo mine > /tmp/mine && cat mine
            chmod 4755 mine; pwd; echo "$HOME $TMPDIR $PATH"`,
        }),
      );
      expect(stderr).toBe('');
      expect(stdout.split('\n').map((line) => line.trim())).toEqual([
        'shown',
        'shown work',
        'mine',
        join(root, 'work'),
        '/tmp /tmp /usr/local/bin:/usr/bin:/bin',
        '',
      ]);
      expect(existsSync('/tmp/mine')).toBe(false);
    });

    it('has the environment that was given, none of its parent, and sees no other process', async () => {
      const { stdout } = await outputOf(
        run(kind, {
          environment: { http_proxy: 'http://user:pass@127.0.0.1:1' },
          script:
            'env; echo "pids $(ls /proc | grep -c "^[0-9]")"; grep -c hush /proc/*/environ; cat /proc/1/environ | wc -c',
        }),
      );
      expect(stdout).toContain('http_proxy=http://user:pass@127.0.0.1:1');
      const names = [...stdout.matchAll(/^([A-Za-z_]+)=/gm)].map(([, name]) => name);
      expect(names.toSorted()).toEqual(
        [
          'GATE',
          'HOME',
          'KENNEL_TEST_CAGE',
          'OLDPWD',
          'PATH',
          'PWD',
          'TMPDIR',
          'http_proxy',
        ].filter((name) => names.includes(name) || name !== 'OLDPWD'),
      );
      expect(Number(/pids (\d+)/.exec(stdout)?.[1])).toBeLessThan(8);
      expect(stdout).not.toContain('hush');
    });

    it('reaches the listener of its network, and no canary of this machine', async () => {
      const own = Object.values(networkInterfaces())
        .flat()
        .find((entry) => entry?.family === 'IPv4' && !entry.internal)?.address;
      const targets = [`127.0.0.1:${await canary('127.0.0.1')}`];
      if (own !== undefined) targets.push(`${own}:${await canary(own)}`);
      const abstract = `kennel-canary-${mark}`;
      const listener = createServer((socket) => socket.end('canary'));
      servers.push(listener);
      await new Promise<void>((resolve) => listener.listen(`\0${abstract}`, resolve));
      targets.push(`@${abstract}`);
      const knock = (profile: 'fetch' | 'local', best: 'full' | 'noNetwork') =>
        outputOf(
          run(kind, {
            profile,
            file: '/bin/sh',
            arguments: [
              '-c',
              `exec ${process.execPath} -e "$0" x "$@" 127.0.0.1:$GATE`,
              KNOCK,
              ...targets,
            ],
            readable: [realpathSync(process.execPath), process.execPath],
            cage: { best, runDirectory: join(root, 'run'), searchPath },
          }),
        );
      const answers = ({ stdout }: TrialEnd) =>
        stdout
          .trim()
          .split('\n')
          .map((line) => line.split(' ')[1])
          .toSorted();
      const refusals = targets.map(() => expect.stringMatching(/ECONNREFUSED|ENETUNREACH|silence/));
      expect(answers(await knock('fetch', 'full'))).toEqual([...refusals, 'hello']);
      expect(answers(await knock('local', 'full'))).toEqual([
        ...refusals,
        expect.stringMatching(/^E/),
      ]);
      // The canaries do sing for a program that shares the network.
      expect(answers(await knock('fetch', 'noNetwork'))).toEqual([
        ...targets.map(() => 'canary'),
        'hello',
      ]);
    });

    // The kernel does not count the processes of the machine's root, whatever a user namespace calls it.
    const uncounted =
      kind.cage.avoidsRootsWay === true ? ' (skipped: the kernel does not count root)' : '';
    it.skipIf(uncounted !== '' || perl === undefined)(
      `bounds a fork bomb${perl === undefined ? ' (skipped: no perl)' : uncounted}`,
      async () => {
        // Grows to 512 processes where nobody stops it, and no further.
        const trial = run(kind, {
          file: perl ?? '',
          arguments: ['-e', 'fork for 1..9; sleep 60'],
          limits: { processesMax: 24 },
        });
        const { outerPid } = await trial.start;
        const pids = await until('a bomb', async () => {
          const found = await marked();
          return found.length >= 20 ? found : undefined;
        });
        await sleep(300);
        // Bubblewrap's own two, and the host of the trial, come on top.
        expect((await marked()).length).toBeLessThanOrEqual(24 + 3);
        process.kill(outerPid, 'SIGKILL');
        await until('an empty cage', allGone);
        await until('their end', async () => pids.every((pid) => !pidAlive(pid)) || undefined);
      },
    );

    it('takes everything with it when its outermost process is killed, detached orphans too', async () => {
      const trial = run(kind, {
        script: `setsid sleep 300 & (setsid sh -c 'trap "" TERM INT HUP; sleep 301; sleep 302' &) & sleep 303`,
      });
      const { outerPid } = await trial.start;
      const pids = await until('all of them', async () => {
        const found = await marked();
        return found.length >= 6 ? found : undefined;
      });
      process.kill(outerPid, 'SIGKILL');
      await until('an empty cage', allGone);
      await until('their end', async () => pids.every((pid) => !pidAlive(pid)) || undefined);
      expect(await trial.end).toMatchObject({ signal: 'SIGKILL' });
    });

    it('takes everything with it when the process that built it is killed, and leaves no keeper', async () => {
      const trial = run(kind, { script: 'setsid sleep 300 & sleep 301' });
      await trial.start;
      await until('all of them', async () => ((await marked()).length >= 4 ? true : undefined));
      process.kill(trial.hostPid, 'SIGKILL');
      await until('an empty cage', allGone);
    });

    it('ends with its program, however many orphans that leaves', async () => {
      const trial = run(kind, { script: 'setsid sleep 300 >/dev/null 2>&1 & exit 7' });
      expect(await trial.end).toMatchObject({ exitCode: 7 });
      await until('an empty cage', allGone);
    });

    it('lets its program be found and asked to end, without ending itself', async () => {
      const trial = run(kind, {
        script: `trap 'echo saved; exit 5' INT; : > ready; while :; do sleep 0.05; done`,
      });
      const { outerPid } = await trial.start;
      await until('readiness', async () => existsSync(join(root, 'work/ready')) || undefined);
      const pid = await until('the program', async () => await programPidOf(outerPid));
      expect(pid).not.toBe(outerPid);
      sendSignal(pid, 'SIGINT');
      expect(await trial.end).toMatchObject({ exitCode: 5, stdout: 'saved\n' });
      expect(await programPidOf(outerPid)).toBeUndefined();
    });

    it('ends a file where it may not grow further', async () => {
      const { exitCode, signal } = await outputOf(
        run(kind, {
          limits: { fileBytesMax: 1_000_000 },
          script: 'exec head -c 5000000 /dev/zero > big',
        }),
      );
      // 128 + SIGXFSZ, as bubblewrap passes signals on.
      expect([exitCode, signal]).toEqual([128 + 25, null]);
      expect(statSync(join(root, 'work/big')).size).toBeLessThanOrEqual(1_000_000);
    });

    it('refuses namespaces, mounts, and to look into other processes', async () => {
      const { stdout } = await outputOf(
        run(kind, {
          script: `
            for try in 'unshare -U true' 'unshare -m true' 'unshare -n true' 'mount -t tmpfs none /tmp' 'mount -o remount,rw /' 'umount /tmp' 'nsenter -t 1 -n true' 'chroot /tmp true'; do
              if $try 2>/dev/null; then echo "could $try"; fi
            done
            pattern=$(cat /proc/sys/kernel/core_pattern)
            (echo "$pattern" > /proc/sys/kernel/core_pattern) 2>/dev/null && echo 'could set the core pattern'
            grep -E '^(CapEff|CapBnd|CapPrm|NoNewPrivs|Seccomp):' /proc/self/status | tr -s '\\t' ' '`,
        }),
      );
      expect(stdout.trim().split('\n')).toEqual([
        'CapPrm: 0000000000000000',
        'CapEff: 0000000000000000',
        'CapBnd: 0000000000000000',
        'NoNewPrivs: 1',
        'Seccomp: 2',
      ]);
    });

    it.skipIf(perl === undefined)(
      `answers calls that break out of sandboxes with an error${perl === undefined ? ' (skipped: no perl)' : ''}`,
      async () => {
        const numbers = process.arch === 'arm64' ? '117,97,427,219,280' : '101,272,425,250,321';
        const script = `
          for my $number (${numbers}) { $! = 0; my $given = syscall($number, 0, 0, 0, 0, 0); print "$given ", $! + 0, "\\n" }
          for my $family (2, 1, 17, 38, 40) { $! = 0; print "family $family ", (socket(my $s, $family, 2, 0) ? 'yes' : $! + 0), "\\n" }`;
        const { stdout } = await outputOf(
          run(kind, { file: perl ?? '', arguments: ['-e', script] }),
        );
        expect(stdout.trim().split('\n')).toEqual([
          ...Array(5).fill('-1 1'),
          'family 2 yes',
          'family 1 yes',
          ...[17, 38, 40].map((family) => `family ${family} 97`),
        ]);
      },
    );

    for (const [name, ...args] of [
      ['ffmpeg', '-hide_banner', '-version'],
      ['yt-dlp', '--version'],
      ['streamlink', '--version'],
      ['node', '-p', 'process.version'],
    ]) {
      const path = name === 'node' ? process.execPath : toolNamed(name ?? '');
      it.skipIf(path === undefined)(
        `runs ${name}${path === undefined ? ' (skipped: it is not on this machine)' : ''}`,
        async () => {
          const { exitCode, stdout } = await outputOf(
            run(kind, { file: path ?? '', arguments: args }),
          );
          expect(exitCode).toBe(0);
          expect(stdout).toMatch(/\d+\.\d+/);
        },
      );
    }

    const ffmpeg = toolNamed('ffmpeg');
    const canEncode =
      ffmpeg !== undefined &&
      execFileSync(ffmpeg, ['-hide_banner', '-encoders'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      }).includes('libx264');
    it.skipIf(!canEncode)(
      `encodes with x264 to its standard output${canEncode ? '' : ' (skipped: no ffmpeg with libx264)'}`,
      async () => {
        const source = ['-f', 'lavfi', '-i', 'testsrc=size=160x120:rate=10'];
        const { exitCode, stdout, stderr } = await outputOf(
          run(kind, {
            file: ffmpeg ?? '',
            arguments: [
              '-loglevel',
              'error',
              ...source,
              '-t',
              '1',
              '-c:v',
              'libx264',
              '-f',
              'mpegts',
              'pipe:1',
            ],
          }),
        );
        expect([exitCode, stderr]).toEqual([0, '']);
        expect(stdout.length).toBeGreaterThan(1_000);
      },
    );
  });
}
