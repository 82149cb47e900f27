import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CagedProgram } from '../../../src/cage/cage.ts';
import { describeCage } from '../../../src/cage/describeCage.ts';
import { type CageOptions, openCage } from '../../../src/cage/openCage.ts';
import { systemClock } from '../../../src/core/clock.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kennel-cage-'));
  mkdirSync(join(root, 'bin'));
  mkdirSync(join(root, 'work'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** A tool as a machine could have it, instead of the real one. */
function tool(name: string, script: string): void {
  writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(root, 'bin', name), 0o755);
}

/** Runs what comes behind its options, without doing anything that they ask for. */
const DOES_NOTHING = 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"';

const options = (more: Partial<CageOptions> = {}): CageOptions => ({
  mode: 'auto',
  searchPath: join(root, 'bin'),
  nodePath: process.execPath,
  runDirectory: join(root, 'run'),
  clock: systemClock,
  log: () => {},
  ...more,
});

const program = (): CagedProgram => ({
  profile: 'fetch',
  file: '/bin/sh',
  arguments: ['-c', 'true'],
  environment: { http_proxy: 'http://user:hush@127.0.0.1:1' },
  workDirectory: join(root, 'work'),
  limits: { fileBytesMax: 1_000, openFilesMax: 32, processesMax: 8 },
});

describe('a cage', () => {
  it('is none on a machine without tools, and says for each better one what is missing', async () => {
    const { report } = await openCage(options());
    expect(report).toMatchObject({ rung: 'none', hasSeccomp: false, hasProcessLimit: false });
    expect(report.missing.map(({ rung }) => rung)).toEqual([
      'full',
      'noProc',
      'noNetwork',
      'limits',
    ]);
    expect(report.missing[0]?.problem).toContain('bwrap (of the package bubblewrap)');
    expect(report.missing[3]?.problem).toContain('util-linux');
  });

  it('tells the first line of what bubblewrap said', async () => {
    tool(
      'bwrap',
      'echo "bwrap: No permissions to create new namespace" >&2; echo more >&2; exit 1',
    );
    tool('nsenter', DOES_NOTHING);
    tool('setpriv', DOES_NOTHING);
    tool('prlimit', DOES_NOTHING);
    const { report } = await openCage(options());
    expect(report.missing.slice(0, 3).map(({ problem }) => problem)).toEqual(
      Array(3).fill('bwrap: No permissions to create new namespace'),
    );
  });

  it('is not taken for one because its tools end well', async () => {
    for (const name of ['bwrap', 'nsenter', 'setpriv', 'prlimit']) tool(name, DOES_NOTHING);
    const { report } = await openCage(options());
    expect(report.rung).toBe('none');
    expect(report.missing).toEqual([
      { rung: 'full', problem: 'bubblewrap made no network of its own' },
      { rung: 'noProc', problem: 'bubblewrap made no network of its own' },
      { rung: 'noNetwork', problem: 'it has no process numbers of its own' },
      { rung: 'limits', problem: 'setpriv did not take the privileges away' },
    ]);
  });

  it('is refused with the next step where a better one is required', async () => {
    const cage = await openCage(options({ mode: 'required' }));
    const refusal = expect.objectContaining({
      code: 'sandbox.unavailable',
      message: expect.stringContaining('apt-get install bubblewrap'),
    });
    expect(() => cage.command(program(), 3)).toThrow(refusal);
    await expect(cage.network({ tcp: 1, udp: 0 })).rejects.toEqual(refusal);
    expect(describeCage(cage.report, 'required').verdict).toBe('bad');
  });

  it('is not looked for when it is switched off', async () => {
    tool('bwrap', `touch ${root}/tried`);
    const cage = await openCage(options({ mode: 'off' }));
    expect(cage.report).toMatchObject({ rung: 'none', missing: [] });
    expect(statSync(join(root, 'tried'), { throwIfNoEntry: false })).toBeUndefined();
    const command = cage.command(program(), 3);
    expect(command).toMatchObject({ file: '/bin/sh', arguments: ['-c', 'true'], inherit: [] });
    expect(command.environment['HOME']).toBe(join(root, 'work'));
  });

  it('keeps its files to itself, and leaves nothing of its probes', async () => {
    await openCage(options());
    expect(statSync(join(root, 'run')).mode & 0o777).toBe(0o700);
    const filter = join(root, 'run/seccomp.bpf');
    if (process.arch === 'x64' || process.arch === 'arm64') {
      expect(statSync(filter).mode & 0o777).toBe(0o600);
      expect(readFileSync(filter).length % 8).toBe(0);
    }
  });

  it('without a network of its own gives listeners of this machine, as many as were asked for', async () => {
    const cage = await openCage(options({ mode: 'off' }));
    const network = await cage.network({ tcp: 1, udp: 1 });
    expect(network.isSealed).toBe(false);
    const { server, host, port } = await network.tcp();
    expect(server.address()).toMatchObject({ address: host, port });
    const { socket } = await network.udp();
    await expect(network.tcp()).rejects.toMatchObject({ code: 'limit.exceeded' });
    await expect(network.udp()).rejects.toMatchObject({ code: 'limit.exceeded' });
    socket.close();
    cage.close();
    expect(server.listening).toBe(false);
  });
});

describe('the doctor', () => {
  const missing = [
    { rung: 'full' as const, problem: 'no proc' },
    { rung: 'noProc' as const, problem: 'no net' },
  ];

  it('is content with what closes files and network off', () => {
    const found = describeCage({
      rung: 'full',
      hasSeccomp: true,
      missing: [],
      hasProcessLimit: true,
    });
    expect(found).toEqual({ verdict: 'good', found: expect.stringMatching(/^full: /) });
    expect(describeCage({ rung: 'noProc', hasSeccomp: true, missing }).verdict).toBe('good');
  });

  it('says what a lesser cage lacks, and why, and what to do', () => {
    const found = describeCage({ rung: 'noNetwork', hasSeccomp: true, missing });
    expect(found).toMatchObject({ verdict: 'fair', found: expect.stringContaining('(no net)') });
    expect(found.advice).toContain('bubblewrap');
    expect(describeCage({ rung: 'none', hasSeccomp: false, missing: [] }, 'off').verdict).toBe(
      'fair',
    );
    const unlimited = {
      rung: 'full',
      hasSeccomp: true,
      missing: [],
      hasProcessLimit: false,
    } as const;
    expect(describeCage(unlimited)).toMatchObject({ verdict: 'good', advice: expect.any(String) });
  });
});
