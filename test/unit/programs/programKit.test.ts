import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ProgramKit } from '../../../src/programs/programKit.ts';

function setUp() {
  const runDirectory = mkdtempSync(join(tmpdir(), 'kennel-kit-'));
  let elapsedMs = 0;
  const kit = new ProgramKit({
    settings: {
      ...{ searchPath: runDirectory, allow: '', sandbox: 'off', toolMemoryMiB: 512 },
    },
    runDirectory,
    marker: {},
    clock: {
      ...{ now: () => 0, elapsed: () => elapsedMs },
      ...{ setTimeout: () => 0, clearTimeout: () => undefined },
    },
    log: () => undefined,
  });
  onTestFinished(async () => {
    await kit.close();
    rmSync(runDirectory, { recursive: true });
  });
  const pass = (ms: number) => {
    elapsedMs += ms;
  };
  return { kit, runDirectory, pass };
}

it('makes the shared network again, once, when a listener of it is gone', async () => {
  const { kit } = setUp();
  const first = await kit.sharedNetwork();
  expect(await kit.sharedNetwork()).toBe(first);
  const { server } = await first.tcp();
  await new Promise((closed) => server.close(closed));
  const [second, third] = await Promise.all([kit.sharedNetwork(), kit.sharedNetwork()]);
  expect(second).not.toBe(first);
  expect(third).toBe(second);
  const pass = await kit.gate.pass(second, { rules: kit.rules() });
  expect(pass.proxyUrl).toMatch(/^http:/);
});

it('looks for missing tools again after a while', async () => {
  const { kit, runDirectory, pass } = setUp();
  expect([...(await kit.tools()).keys()]).toEqual([]);
  const script = '#!/bin/sh\necho ffmpeg version 6.1\n';
  writeFileSync(join(runDirectory, 'ffmpeg'), script, { mode: 0o755 });
  expect([...(await kit.tools()).keys()]).toEqual([]);
  pass(60_000);
  expect([...(await kit.tools()).keys()]).toEqual(['ffmpeg']);
});

it('builds a cage when it can at last', async () => {
  const { kit, runDirectory } = setUp();
  rmSync(runDirectory, { recursive: true });
  writeFileSync(runDirectory, 'in the way');
  await expect(kit.questions()).rejects.toThrow();
  rmSync(runDirectory);
  mkdirSync(runDirectory);
  await expect(kit.questions()).resolves.toMatchObject({ limits: kit.limits });
});
