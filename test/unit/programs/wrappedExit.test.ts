import { expect, it } from 'vitest';
import { wrappedExit } from '../../../src/programs/wrappedExit.ts';

it('finds the signal in the exit code of a wrapper', () => {
  expect(wrappedExit({ exitCode: 137 })).toEqual({ signal: 'SIGKILL' });
  expect(wrappedExit({ exitCode: 139 })).toEqual({ signal: 'SIGSEGV' });
  expect(wrappedExit({ exitCode: 153 })).toEqual({ signal: 'SIGXFSZ' });
});

it('leaves what programs say themselves', () => {
  for (const exitCode of [0, 1, 128, 130, 255])
    expect(wrappedExit({ exitCode })).toEqual({ exitCode });
  expect(wrappedExit({ signal: 'SIGKILL' })).toEqual({ signal: 'SIGKILL' });
});
