import { expect, test } from 'vitest';
import { type HealthCheck, healthRoutes } from '../../../src/api/health.ts';
import type { Clock } from '../../../src/core/clock.ts';

/** A clock whose timers go off at once when `isLate`, and never otherwise. */
function setup({ isLate = false } = {}) {
  let elapsed = 0;
  const clock: Clock = {
    now: () => elapsed,
    elapsed: () => elapsed,
    setTimeout: (callback) => (isLate ? queueMicrotask(callback) : undefined),
    clearTimeout: () => undefined,
  };
  const state = { lagMs: 0, problem: undefined as string | undefined, looks: 0 };
  const check: HealthCheck = {
    name: 'database',
    look: () => {
      state.looks += 1;
      return isLate ? new Promise(() => undefined) : state.problem;
    },
  };
  const app = healthRoutes({
    lagMs: () => state.lagMs,
    startup: () => [],
    readiness: () => [check],
    clock,
  });
  const ask = async (path: string) => {
    const response = await app.request(path);
    return [response.status, await response.text()] as const;
  };
  return { state, ask, pass: (ms: number) => (elapsed += ms) };
}

test('all is well until a check says why it is not', async () => {
  const { state, ask, pass } = setup();
  expect(await ask('/readyz')).toEqual([200, 'ok\n']);
  expect(await ask('/readyz?verbose')).toEqual([200, '[+] database: ok\nok\n']);
  state.problem = 'does not answer';
  pass(1_000);
  expect(await ask('/readyz')).toEqual([503, '[-] database: does not answer\nnot ok\n']);
});

test('whether the process lives depends on its event loop alone', async () => {
  const { state, ask, pass } = setup();
  state.problem = 'does not answer';
  state.lagMs = 5_000;
  expect((await ask('/livez'))[0]).toBe(200);
  state.lagMs = 5_001;
  pass(1_000);
  expect(await ask('/livez')).toEqual([503, '[-] event loop: stood still for 5001 ms\nnot ok\n']);
});

test('however many ask, a check is looked at once a second', async () => {
  const { state, ask, pass } = setup();
  await Promise.all([ask('/readyz'), ask('/readyz'), ask('/readyz?verbose')]);
  expect(state.looks).toBe(1);
  pass(1_000);
  await ask('/readyz');
  expect(state.looks).toBe(2);
});

test('a check without an answer is not well', async () => {
  const { ask } = setup({ isLate: true });
  expect(await ask('/readyz')).toEqual([503, '[-] database: does not answer\nnot ok\n']);
});
