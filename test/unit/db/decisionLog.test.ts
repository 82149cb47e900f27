import { expect, test } from 'vitest';
import type { Decision } from '../../../machines/vocabulary.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { DECISIONS_HELD_MAX, DecisionLog } from '../../../src/db/decisionLog.ts';
import type { HistoryQueries } from '../../../src/db/jobQueries.ts';

const decision = (why: string): Decision => ({
  jobId: 'job',
  dog: 'bigDog',
  decision: 'recorder.restart',
  why,
  evidence: {},
});

const setup = () => {
  const stored: string[] = [];
  const keys = new Set<string>();
  const said: string[] = [];
  const gate = Promise.withResolvers<void>();
  let answersToLose = 0;
  const insertDecisions = async (rows: readonly { key: string; why: string }[]) => {
    await gate.promise;
    for (const { key, why } of rows) {
      if (!keys.has(key)) stored.push(why);
      keys.add(key);
    }
    if (answersToLose-- > 0) throw Object.assign(new Error('lost'), { code: 'ECONNRESET' });
  };
  const log = new DecisionLog({
    clock: { ...systemClock, setTimeout: (run, delayMs) => delayMs < 5_000 && queueMicrotask(run) },
    random: () => 0,
    log: (_level, message) => said.push(message),
    queries: { insertDecisions } as unknown as HistoryQueries, // the only statement that it uses
    signal: new AbortController().signal,
    onDecision: () => undefined,
  });
  const loseAnswers = (count: number) => {
    answersToLose = count;
  };
  return { log, stored, said, answer: gate.resolve, loseAnswers };
};

test('what waits is bounded: the newest are lost, and the log says how many', async () => {
  const { log, stored, said, answer } = setup();
  for (let made = 0; made < DECISIONS_HELD_MAX + 3; made++) log.record(decision(`${made}`));
  answer();
  await log.flush();
  expect(stored).toHaveLength(DECISIONS_HELD_MAX);
  expect(stored.at(-1)).toBe(`${DECISIONS_HELD_MAX - 1}`);
  expect(said).toEqual([
    'Too many decisions wait for the database, new ones are lost',
    'Decisions were lost while the database was away',
  ]);
});

test('a batch whose answer was lost is stored once, in order', async () => {
  const { log, stored, answer, loseAnswers } = setup();
  loseAnswers(2);
  answer();
  for (const why of ['a', 'b']) log.record(decision(why));
  await log.flush();
  log.record(decision('c'));
  await log.flush();
  expect(stored).toEqual(['a', 'b', 'c']);
});
