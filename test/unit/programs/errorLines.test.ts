import { expect, it } from 'vitest';
import { ERROR_TAIL_CHARACTERS, ErrorLines } from '../../../src/programs/errorLines.ts';

function listen() {
  const lines: string[] = [];
  const errors = new ErrorLines((line) => {
    lines.push(line);
    return line.startsWith('frame=') ? 'drop' : 'keep';
  });
  return { lines, errors };
}

it('tells whole lines, however they are cut and whatever ends them', () => {
  const { lines, errors } = listen();
  const bytes = Buffer.from('one\ntwö\r\n\n10%\r20%\rend');
  for (const byte of bytes) errors.take(Buffer.of(byte));
  expect(lines).toEqual(['one', 'twö', '10%', '20%']);
  errors.end();
  expect(lines.at(-1)).toBe('end');
});

it('keeps what was said, and no reports of progress', () => {
  const { errors } = listen();
  errors.take(Buffer.from('frame=1\nopened https://host/a?token=secret\r\nframe=2\nERROR: why'));
  errors.end();
  expect(errors.tail).toBe('opened https://host/a?token=secret\nERROR: why\n');
});

it('keeps the end of what was said, in whole lines, and no more of it', () => {
  const { errors } = listen();
  for (let round = 0; round < 1_000; round++) errors.take(Buffer.from(`${'x'.repeat(99)}\n`));
  errors.take(Buffer.from('ERROR: at last'));
  errors.end();
  expect(errors.tail.length).toBeLessThanOrEqual(ERROR_TAIL_CHARACTERS);
  expect(errors.tail.length).toBeGreaterThan(ERROR_TAIL_CHARACTERS - 100);
  expect(errors.tail).toMatch(/^x{99}\n(?:x{99}\n)+ERROR: at last\n$/);
});

it('is not filled by a line that never ends', () => {
  const { lines, errors } = listen();
  for (let round = 0; round < 100; round++) errors.take(Buffer.alloc(10_000, 'x'));
  errors.end();
  expect(lines).toHaveLength(1);
  expect(lines[0]?.length).toBeLessThanOrEqual(8 * 1024);
});
