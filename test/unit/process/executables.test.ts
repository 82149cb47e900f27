import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { executables } from '../../../src/process/executables.ts';
import { programVersion } from '../../../src/process/programVersion.ts';

/** Directories that each hold a `tool` that does this. */
function places(...scripts: readonly string[]): string[] {
  const root = mkdtempSync(join(tmpdir(), 'kennel-executables-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return scripts.map((script, index) => {
    const directory = join(root, String(index));
    mkdirSync(directory);
    writeFileSync(join(directory, 'tool'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return directory;
  });
}

test('all of a name are found in the order of the path, each once, and only what may be executed', async () => {
  const [first = '', second = '', third = ''] = places('', '', '');
  chmodSync(join(second, 'tool'), 0o644);
  symlinkSync(first, join(third, 'again'));
  const path = ['relative', '', second, third, '/nowhere', join(third, 'again'), first];
  expect(await executables('tool', path.join(delimiter))).toEqual([
    join(third, 'tool'),
    join(third, 'again', 'tool'),
  ]);
  expect(await executables('other', path.join(delimiter))).toEqual([]);
});

test('a name with a slash is the only place where it is looked for', async () => {
  const [first = '', second = ''] = places('', '');
  expect(await executables(join(first, 'tool'), second)).toEqual([join(first, 'tool')]);
  expect(await executables(join(first, 'none/tool'), second)).toEqual([]);
});

test('the version is what the program prints with its arguments, if it ends well', async () => {
  const [good = '', bad = '', silent = ''] = places(
    'echo "tool $1 $KENNEL_WORD"',
    'echo "tool 9.9"; exit 1',
    '',
  );
  const question = {
    versionArguments: ['5.1'],
    parseVersion: (output: string) => /^tool (.+)/.exec(output)?.[1],
  };
  const versionIn = async (directory: string) =>
    await programVersion(join(directory, 'tool'), question, { KENNEL_WORD: 'beta' });
  expect(await versionIn(good)).toBe('5.1 beta');
  expect(await versionIn(bad)).toBeUndefined();
  expect(await versionIn(silent)).toBeUndefined();
  expect(await versionIn('/nowhere')).toBeUndefined();
});
