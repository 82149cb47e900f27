import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findTool, findTools } from '../../../src/programs/findTools.ts';
import { pluginNamed } from '../../../src/programs/plugins.ts';

const { tool } = pluginNamed('yt-dlp');

/** Directories that each hold a `yt-dlp` that prints such a text. */
function places(...outputs: readonly string[]): string[] {
  const root = mkdtempSync(join(tmpdir(), 'kennel-tools-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return outputs.map((output, index) => {
    const directory = join(root, String(index));
    mkdirSync(directory);
    const file = join(directory, 'yt-dlp');
    writeFileSync(file, `#!/bin/sh\n${output}\n`);
    chmodSync(file, 0o755);
    return directory;
  });
}

test('of several on the path it is the newest that works', async () => {
  const [old = '', broken = '', fresh = '', odd = ''] = places(
    'echo 2023.03.04',
    'echo 2026.01.01; exit 1',
    'echo 2025.11.12',
    'echo hello',
  );
  const searchPath = [old, 'relative', broken, fresh, odd, '/nowhere'].join(delimiter);
  const found = await findTool(tool, { searchPath, environment: {} });
  expect(found).toEqual({ path: join(fresh, 'yt-dlp'), version: '2025.11.12' });
});

test('what the operator names is the only one that is tried', async () => {
  const [old = '', fresh = ''] = places('echo 2023.03.04', 'echo 2025.11.12');
  const named = { searchPath: fresh, given: { 'yt-dlp': join(old, 'yt-dlp') }, environment: {} };
  expect(await findTool(tool, named)).toMatchObject({ version: '2023.03.04' });
  const wrong = { ...named, given: { 'yt-dlp': join(old, 'no-such') } };
  expect(await findTool(tool, wrong)).toBeUndefined();
});

test('what is not there is left out', async () => {
  const [directory = ''] = places('echo 2025.11.12');
  const found = await findTools({ searchPath: directory, environment: {} });
  expect([...found.keys()]).toEqual(['yt-dlp']);
});
