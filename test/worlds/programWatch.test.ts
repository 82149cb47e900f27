import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../support/kennel.ts';
import { watchPrograms } from '../support/worlds/drills/programWatch.ts';

test('a program is seen from its start to its end, once, although its child looks like itself before it becomes another one', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kennel-watch-'));
  const cwd = join(dataDir, 'recordings', 'one');
  mkdirSync(cwd, { recursive: true });
  const tool = join(dataDir, 'tool');
  // A subshell has the arguments of its shell, and its standard input is empty.
  writeFileSync(tool, '#!/bin/sh\n(read -r end <&3; exit) &\nread -r end\n', { mode: 0o755 });
  const watch = watchPrograms(dataDir, tool);
  const child = spawn(tool, { cwd, stdio: ['pipe', 'ignore', 'ignore', 'pipe'] });
  onTestFinished(() => {
    watch.close();
    child.kill('SIGKILL');
    for (const pipe of child.stdio) pipe?.destroy();
    rmSync(dataDir, { recursive: true, force: true });
  });
  await until('its child is seen', () => watch.programs[0]?.childAt !== undefined);
  expect(watch.current()?.program.pid).toBe(child.pid);
  expect(watch.current()?.all).toHaveLength(2);
  child.kill('SIGKILL');
  await until('its end is seen', () => watch.programs[0]?.endedAt !== undefined);
  expect(watch.programs).toHaveLength(1);
});
