import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { remoteCli } from '../../support/cli/remoteCli.ts';

/** What bash offers at the end of these words. */
async function offered(...words: string[]): Promise<string[]> {
  const { run } = await remoteCli();
  const script = (await run(['completion', 'bash'])).out.join('\n');
  const quoted = ['kennel', ...words].map((word) => `'${word}'`).join(' ');
  const { stdout, stderr } = spawnSync(
    'bash',
    [
      '--norc',
      '-c',
      `${script}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _kennel; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ],
    { encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  return stdout.trim().split('\n');
}

test('bash completes commands, those below them, and options', async () => {
  expect(await offered('re')).toEqual(['record', 'resume', 'retry']);
  expect(await offered('keys', 'r')).toEqual(['revoke', 'rotate']);
  expect(await offered('keys', 'rotate', 'abc', '--o')).toEqual(['--overlap']);
  expect(await offered('jobs', '--server', 'http://x', '--st')).toEqual(['--state']);
});

test('zsh and fish have scripts of their own, and other shells none', async () => {
  const { run } = await remoteCli();
  expect((await run(['completion', 'zsh'])).out[0]).toBe('#compdef kennel');
  const fish = (await run(['completion', 'fish'])).out;
  expect(fish.find((line) => line.includes('-a rotate'))).toContain(
    "-n '__fish_seen_subcommand_from keys'",
  );
  expect(fish.every((line) => /-d '([^'\\]|\\.)*'$/.test(line))).toBe(true);
  expect(await run(['completion', 'tcsh'])).toMatchObject({ exitCode: 64 });
});
