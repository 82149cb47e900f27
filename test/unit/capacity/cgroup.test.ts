import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { cgroupLimits } from '../../../src/capacity/cgroup.ts';

function mounted(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'kennel-cgroup-'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return root;
}

test('the smallest limit of the group and of all above it counts (version 2)', () => {
  const root = mounted({
    'pod/cpu.max': '150000 100000\n',
    'pod/memory.max': '1073741824\n',
    'pod/kennel/cpu.max': 'max 100000\n',
    'pod/kennel/memory.max': '536870912\n',
  });
  expect(cgroupLimits(root, '0::/pod/kennel\n')).toEqual({ cores: 1.5, memoryBytes: 536870912 });
});

test('version 1 has a mount for each controller, and writes "no limit" as a number', () => {
  const root = mounted({
    'cpu,cpuacct/a/cpu.cfs_quota_us': '50000\n',
    'cpu,cpuacct/a/cpu.cfs_period_us': '100000\n',
    'cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
    'cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    'memory/a/memory.limit_in_bytes': '9223372036854771712\n',
    'memory/memory.limit_in_bytes': '268435456\n',
  });
  const membership = '4:memory:/a\n1:cpu,cpuacct:/a\n';
  expect(cgroupLimits(root, membership)).toEqual({ cores: 0.5, memoryBytes: 268435456 });
});

test('without limits, and where nothing is mounted, there are none', () => {
  const root = mounted({ 'cpu.max': 'max 100000\n', 'memory.max': 'max\n' });
  expect(cgroupLimits(root, '0::/\n')).toEqual({});
  expect(cgroupLimits('/nowhere', '0::/a/b\n')).toEqual({});
});

test('in a namespace of its own the group is not below the mount, and its root tells', () => {
  const root = mounted({ 'cpu.max': '200000 100000\n' });
  expect(cgroupLimits(root, '0::/../other\n')).toEqual({ cores: 2 });
});
