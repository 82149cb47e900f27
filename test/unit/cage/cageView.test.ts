import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parentsOf, programPaths, systemView } from '../../../src/cage/cageView.ts';

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'kennel-view-')));
});
afterEach(() => rmSync(root, { recursive: true }));

function file(path: string, text = ''): string {
  const full = join(root, path);
  mkdirSync(join(full, '..'), { recursive: true });
  writeFileSync(full, text, { mode: 0o755 });
  return full;
}

describe('what a program needs besides the system', () => {
  it('is nothing for a program of the system', () => {
    expect(programPaths('/bin/sh')).toEqual([]);
    expect(programPaths('/usr/bin/env')).toEqual([]);
  });

  it('is its name and its real path, and nothing beside it', () => {
    const real = file('opt/tool-1.2/tool', '\x7fELF');
    file('opt/tool-1.2/secret');
    const link = join(root, 'tool');
    symlinkSync(real, link);
    expect(programPaths(link)).toEqual([link, real]);
  });

  it('is the whole Python environment of a script, but not the home that it lies in', () => {
    const python = file('python3.12/bin/python3.12', '\x7fELF');
    file('python3.12/lib/os.py');
    const environment = join(root, 'home/.local/venvs/yt-dlp');
    file('home/.local/venvs/yt-dlp/pyvenv.cfg');
    mkdirSync(join(environment, 'bin'), { recursive: true });
    symlinkSync(python, join(environment, 'bin/python'));
    const script = file('home/.local/venvs/yt-dlp/bin/yt-dlp', `#!${environment}/bin/python\n`);
    mkdirSync(join(root, 'home/.local/bin'), { recursive: true });
    const link = join(root, 'home/.local/bin/yt-dlp');
    symlinkSync(script, link);
    const paths = programPaths(link);
    expect(paths).toEqual(
      expect.arrayContaining([link, environment, join(root, 'python3.12'), script]),
    );
    expect(paths).not.toContain(join(root, 'home/.local'));
    expect(paths).not.toContain(join(root, 'home'));
  });

  it('ends with scripts that are each other’s interpreters', () => {
    const [first, second] = [join(root, 'first'), join(root, 'second')];
    file('first', `#!${second}\n`);
    file('second', `#!${first}\n`);
    expect(programPaths(first).toSorted()).toEqual([first, second]);
  });
});

describe('the system in a cage', () => {
  it('has no directory with secrets, and the names of the network only where it is shared', () => {
    // An empty directory above something that is shown (`--dir`) shows nothing itself.
    const shown = (withNames: boolean) =>
      systemView(withNames).filter((_, at, words) => words[at - 1] === '--ro-bind');
    expect(shown(false)).toContain('/usr');
    for (const secret of [
      '/etc',
      '/etc/passwd',
      '/etc/shadow',
      '/etc/ssl',
      '/etc/ssl/private',
      '/root',
      '/home',
      '/var',
      '/run',
      '/proc',
      '/sys',
    ]) {
      expect(shown(true)).not.toContain(secret);
    }
    expect(shown(false)).not.toContain('/etc/resolv.conf');
    expect(shown(false)).not.toContain('/etc/hosts');
  });

  it('gets the directories above a path, from the top', () => {
    expect(parentsOf('/data/a/b')).toEqual(['--dir', '/data', '--dir', '/data/a']);
    expect(parentsOf('/usr/share/x')).toEqual([]);
  });
});
