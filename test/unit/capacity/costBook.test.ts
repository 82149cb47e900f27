import { expect, test } from 'vitest';
import { CostBook, KEYS_MAX } from '../../../src/capacity/costBook.ts';
import type { MeasuredCost } from '../../../src/core/jobCost.ts';

const costing = (cpu: number): MeasuredCost => ({
  cpu,
  memoryBytes: cpu * 1e8,
  networkBytesPerSecond: cpu * 1e7,
  diskBytesPerSecond: cpu * 1e7,
  descriptors: 10,
});

test('the most exact kind that was measured is believed, then the more general ones', () => {
  const book = new CostBook();
  book.learn('hls|one.example|best', costing(0.5));
  book.learn('hls|two.example|best', costing(0.1));
  const exact = book.estimate('hls|one.example|best').cpu;
  expect(book.estimate('hls|one.example|720p')).toEqual(book.estimate('hls|one.example'));
  expect(exact).toBeGreaterThan(book.estimate('hls|two.example|best').cpu);
  const general = book.estimate('hls|three.example|best').cpu;
  expect(general).toBeGreaterThan(book.estimate('hls|two.example').cpu);
});

test('an estimate lies above what was measured, and comes closer the steadier it was', () => {
  const book = new CostBook();
  book.learn('dash|a|b', costing(0.2));
  const first = book.estimate('dash|a|b').cpu;
  for (let i = 0; i < 30; i += 1) book.learn('dash|a|b', costing(0.2));
  const later = book.estimate('dash|a|b').cpu;
  expect(first).toBeGreaterThan(0.2);
  expect(later).toBeLessThan(first);
  expect(later).toBeGreaterThanOrEqual(0.2);
});

test('before anything is known a program costs more than a native stream', () => {
  const book = new CostBook();
  expect(book.estimate('page|a|best').memoryBytes).toBeGreaterThan(
    book.estimate('hls|a').memoryBytes,
  );
});

test('what is read back goes on where it was', () => {
  const book = new CostBook();
  const kept = book.learn('hls|a|best', costing(0.3)).map(([key, cost]) => ({ key, ...cost }));
  expect(new CostBook(kept).estimate('hls|a|best')).toEqual(book.estimate('hls|a|best'));
});

test('the book has a limit, and what was not used for longest is forgotten first', () => {
  const book = new CostBook();
  for (let i = 0; i < KEYS_MAX + 10; i += 1) book.learn(`hls|site${i}`, costing(0.9));
  expect(book.estimate('hls|site1')).toEqual(book.estimate('hls'));
  book.learn(`hls|site${KEYS_MAX + 9}`, costing(0.1));
  expect(book.estimate(`hls|site${KEYS_MAX + 9}`)).not.toEqual(book.estimate('hls'));
});
