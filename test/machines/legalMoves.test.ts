import { expect, test } from 'vitest';
import { bigDogChart } from '../../machines/bigDog.ts';
import { legalMoves } from '../../machines/legalMoves.ts';
import { setupPorts } from './ports.ts';

test('the moves that the chart allows are these, and no others', () => {
  const moves = legalMoves(bigDogChart(setupPorts().ports));
  const table = Object.groupBy(moves, ({ from }) => from);
  const targets = Object.entries(table).map(([from, list]) => [
    from,
    list.map(({ to }) => to).sort(),
  ]);
  expect(Object.fromEntries(targets)).toEqual({
    pending: ['cancelled', 'expired', 'failed', 'recording', 'rejected'],
    recording: ['cancelled', 'failed', 'muxing', 'retrying'],
    retrying: ['cancelled', 'failed', 'muxing', 'recording'],
    muxing: ['cancelled', 'failed', 'uploading'],
    uploading: ['cancelled', 'done', 'failed'],
  });
});
