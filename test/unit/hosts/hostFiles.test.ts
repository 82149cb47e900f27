import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  hostFilePathOf,
  removeHostFiles,
  writeHostFile,
} from '../../../src/hosts/host/hostFile.ts';
import {
  newHostId,
  pruneHostLogs,
  scanHosts,
  socketPathOf,
} from '../../../src/hosts/pool/hostScan.ts';
import { socketDirectory } from '../../../src/hosts/pool/socketDirectory.ts';
import { startTicksOf } from '../../../src/process/procfs.ts';

const directories: string[] = [];
const setup = () => {
  const directory = mkdtempSync(join(tmpdir(), 'kennel-files-'));
  directories.push(directory);
  return { directory, hostId: newHostId() };
};
afterEach(() => {
  for (const directory of directories.splice(0))
    rmSync(directory, { recursive: true, force: true });
});

describe('scanHosts', () => {
  it('finds a living host by what it wrote down', () => {
    const { directory, hostId } = setup();
    const socketPath = socketPathOf(directory, hostId);
    writeHostFile(socketPath, 7);
    const found = {
      hostId,
      socketPath,
      pid: process.pid,
      startTicks: startTicksOf(process.pid),
      startedAt: 7,
    };
    expect(scanHosts(directory, new Set())).toEqual([found]);
    expect(scanHosts(directory, new Set([hostId]))).toEqual([]);
    removeHostFiles(socketPath);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('removes what a dead host left, also when another process has its pid', () => {
    const { directory, hostId } = setup();
    const socketPath = socketPathOf(directory, hostId);
    writeFileSync(socketPath, '');
    const reused = { pid: process.pid, startTicks: 1, startedAt: 7 };
    writeFileSync(hostFilePathOf(socketPath), JSON.stringify(reused));
    writeFileSync(socketPathOf(directory, newHostId()), 'a socket without a host file');
    writeFileSync(`${hostFilePathOf(socketPathOf(directory, newHostId()))}.new`, '{"pi');
    writeFileSync(hostFilePathOf(socketPathOf(directory, newHostId())), 'no JSON');
    expect(scanHosts(directory, new Set())).toEqual([]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('touches nothing that is not a host’s', () => {
    const { directory } = setup();
    for (const name of ['postgres.sock', 'package.json', 'h-12.json'])
      writeFileSync(join(directory, name), '');
    scanHosts(directory, new Set());
    expect(readdirSync(directory)).toHaveLength(3);
  });
});

describe('pruneHostLogs', () => {
  it('keeps the logs of living hosts and the newest of the others', () => {
    const { directory } = setup();
    const ids = Array.from({ length: 25 }, newHostId);
    for (const [age, id] of ids.entries()) {
      writeFileSync(join(directory, `${id}.log`), '');
      utimesSync(join(directory, `${id}.log`), 1_000 - age, 1_000 - age);
    }
    const oldest = ids.at(-1) ?? '';
    pruneHostLogs(directory, new Set([oldest]));
    const kept = new Set(readdirSync(directory));
    expect(kept).toEqual(new Set([...ids.slice(0, 20), oldest].map((id) => `${id}.log`)));
  });
});

describe('socketDirectory', () => {
  it('is the run directory, which nobody else can enter', () => {
    const { directory } = setup();
    const run = join(directory, 'run');
    expect(socketDirectory(run)).toBe(run);
    expect(statSync(run).mode & 0o777).toBe(0o700);
  });

  it('is a short one, always the same, for a run directory in which sockets would not fit', () => {
    const { directory } = setup();
    const long = join(directory, 'long'.repeat(30));
    const short = socketDirectory(long);
    directories.push(short);
    expect(Buffer.byteLength(socketPathOf(short, newHostId()))).toBeLessThan(108);
    expect(socketDirectory(long)).toBe(short);
    expect(socketDirectory(`${long}er`)).not.toBe(short);
    directories.push(socketDirectory(`${long}er`));
    expect(existsSync(long)).toBe(false);
    expect(statSync(short).mode & 0o777).toBe(0o700);
  });

  it('refuses a link that somebody has put in its place', () => {
    const { directory } = setup();
    const long = join(directory, 'other'.repeat(30));
    const short = socketDirectory(long);
    rmSync(short, { recursive: true });
    const elsewhere = join(directory, 'elsewhere');
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, short);
    directories.push(short);
    expect(() => socketDirectory(long)).toThrow(/not a directory of this user/);
  });
});
