import { expect, it } from 'vitest';
import { ERROR_TAIL_CHARACTERS, ErrorLines } from '../../../src/programs/errorLines.ts';

function listen() {
  const lines: string[] = [];
  return { lines, errors: new ErrorLines((line) => lines.push(line)) };
}

it('tells whole lines, however they are cut and whatever ends them', () => {
  const { lines, errors } = listen();
  const bytes = Buffer.from('one\ntwö\r\n\n10%\r20%\rend');
  for (const byte of bytes) errors.take(Buffer.of(byte));
  expect(lines).toEqual(['one', 'twö', '10%', '20%']);
  errors.end();
  expect(lines.at(-1)).toBe('end');
});

it('keeps the end of what was said, and no more of it', () => {
  const { errors } = listen();
  for (let round = 0; round < 1_000; round++) errors.take(Buffer.from(`${'x'.repeat(99)}\n`));
  errors.take(Buffer.from('ERROR: at last'));
  expect(errors.tail).toHaveLength(ERROR_TAIL_CHARACTERS);
  expect(errors.tail).toMatch(/ERROR: at last$/);
});

it('is not filled by a line that never ends', () => {
  const { lines, errors } = listen();
  for (let round = 0; round < 100; round++) errors.take(Buffer.alloc(10_000, 'x'));
  errors.end();
  expect(lines).toHaveLength(1);
  expect(lines[0]?.length).toBeLessThanOrEqual(8 * 1024);
});
