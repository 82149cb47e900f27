import { describe, expect, it } from 'vitest';
import { SourceSwitch } from '../../../src/hls/source/sourceSwitch.ts';

const TARGET_MS = 2_000;

function setup({ links = 2, dual = false, count = 0 } = {}) {
  const turns = new SourceSwitch({ links, dual });
  turns.grow(count);
  const clock = { now: 0 };
  /** One tick: everything due is asked, and answers as told, `silent` not at all. */
  const tick = (how: Record<number, 'new' | 'same' | 'fails' | 'silent'>, afterMs = TARGET_MS) => {
    clock.now += afterMs;
    const due = turns.wanted(clock.now);
    for (const source of due) turns.asked(source, clock.now);
    for (const source of due) {
      const answer = how[source] ?? 'silent';
      const { now } = clock;
      if (answer === 'fails') turns.failed(source, now);
      else if (answer !== 'silent') {
        turns.answered(source, { now, isNew: answer === 'new', targetMs: TARGET_MS });
      }
    }
    return due;
  };
  return { turns, clock, tick };
}

describe('one source at a time', () => {
  it('asks only the first while it is well', () => {
    const { tick } = setup({ links: 3 });
    expect([tick({ 0: 'new' }), tick({ 0: 'same' }), tick({ 0: 'new' })]).toEqual([[0], [0], [0]]);
  });

  it('forgives one failed poll', () => {
    const { tick } = setup();
    tick({ 0: 'new' });
    tick({ 0: 'fails' });
    expect(tick({ 0: 'new' })).toEqual([0]);
  });

  it('opens the next beside it after two, and goes on asking the first until the next has answered', () => {
    const { turns, tick } = setup({ links: 3 });
    tick({ 0: 'new' });
    tick({ 0: 'fails' });
    tick({ 0: 'fails' }, 250);
    expect(tick({ 0: 'fails', 1: 'fails' }, 250)).toEqual([0, 1]);
    expect(turns.active).toBe(0);
    tick({ 0: 'fails', 1: 'new' }, 250);
    expect(turns.active).toBe(1);
    expect(tick({ 1: 'new' }, 250)).toEqual([1]);
  });

  it('lets the next one be when the first answers before it', () => {
    const { turns, tick } = setup();
    tick({ 0: 'new' });
    tick({ 0: 'fails' });
    tick({ 0: 'fails' }, 250);
    expect(tick({ 0: 'new', 1: 'silent' }, 250)).toEqual([0, 1]);
    expect(turns.active).toBe(0);
    expect(tick({ 0: 'new' })).toEqual([0]);
  });

  it('opens the next when the first says nothing for more than a target duration', () => {
    const { turns, clock, tick } = setup();
    tick({ 0: 'new' });
    tick({ 0: 'silent' });
    const at = turns.wakeAt(clock.now);
    expect(at).toBe(clock.now + TARGET_MS + 1);
    expect(turns.wanted(at - 1)).toEqual([0]);
    expect(turns.wanted(at)).toEqual([0, 1]);
  });

  it('gives an answer that the origin may hold back its time', () => {
    const { turns, clock, tick } = setup();
    tick({ 0: 'new' });
    turns.asked(0, clock.now, 3 * TARGET_MS);
    expect(turns.wakeAt(clock.now)).toBe(clock.now + 4 * TARGET_MS + 1);
    expect(turns.wanted(clock.now + 2 * TARGET_MS)).toEqual([0]);
  });

  it('turns away from a playlist that answers and stands still', () => {
    const { turns, tick } = setup();
    tick({ 0: 'new' });
    for (let ticks = 0; ticks < 3; ticks++) expect(tick({ 0: 'same' })).toEqual([0]);
    expect(tick({ 0: 'same', 1: 'new' })).toEqual([0, 1]);
    expect(turns.active).toBe(1);
  });

  it('passes over one that fails as well, and comes back to it later', () => {
    const { turns, tick } = setup({ links: 3 });
    tick({ 0: 'new' });
    for (let ticks = 0; ticks < 2; ticks++) tick({ 0: 'fails' }, 250);
    for (let ticks = 0; ticks < 2; ticks++)
      expect(tick({ 0: 'fails', 1: 'fails' }, 250)).toEqual([0, 1]);
    for (let ticks = 0; ticks < 2; ticks++)
      expect(tick({ 0: 'fails', 2: 'fails' }, 250)).toEqual([0, 2]);
    expect(tick({ 0: 'fails' }, 250)).toEqual([0]);
    expect(tick({ 0: 'fails', 1: 'new' }, 1_000)).toContain(1);
    expect(turns.active).toBe(1);
  });

  it('tries the old one again, at growing intervals, and does not go back by itself', () => {
    const { turns, tick, clock } = setup();
    tick({ 0: 'new' });
    for (let ticks = 0; ticks < 2; ticks++) tick({ 0: 'fails' }, 250);
    tick({ 0: 'fails', 1: 'new' }, 250);
    const asked: number[] = [];
    for (let ticks = 0; ticks < 400; ticks++) {
      if (tick({ 0: 'new', 1: 'new' }, 1_000).includes(0)) asked.push(clock.now);
    }
    const pauses = asked.slice(1).map((at, index) => at - (asked[index] ?? 0));
    expect(pauses.slice(0, 5)).toEqual([2_000, 4_000, 8_000, 16_000, 32_000]);
    expect(turns.active).toBe(1);
  });

  it('takes redundant addresses after the links', () => {
    const { turns, tick } = setup({ links: 1, count: 2 });
    tick({ 0: 'new' });
    for (let ticks = 0; ticks < 2; ticks++) tick({ 0: 'fails' }, 250);
    expect(tick({ 0: 'fails', 1: 'new' }, 250)).toEqual([0, 1]);
    expect(turns.active).toBe(1);
  });

  it('has nowhere to go with one source, and never stops asking it', () => {
    const { turns, tick, clock } = setup({ links: 1 });
    for (let ticks = 0; ticks < 9; ticks++) expect(tick({ 0: 'fails' })).toEqual([0]);
    expect(turns.wakeAt(clock.now)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('all links at once', () => {
  it('asks every link with every tick, and no redundant address', () => {
    const { tick } = setup({ links: 2, count: 3, dual: true });
    for (let ticks = 0; ticks < 5; ticks++) expect(tick({ 0: 'new', 1: 'new' })).toEqual([0, 1]);
  });

  it('lets a link that fails rest for longer each time, and the other goes on', () => {
    const { tick } = setup({ dual: true });
    tick({ 0: 'new', 1: 'new' });
    const asked = Array.from({ length: 60 }, () => tick({ 0: 'new', 1: 'fails' }, 1_000));
    expect(asked.every(([first]) => first === 0)).toBe(true);
    const times = asked.filter((due) => due.includes(1)).length;
    expect(times).toBeGreaterThan(4);
    expect(times).toBeLessThan(20);
  });

  it('asks a link with every tick again once it is back', () => {
    const { tick } = setup({ dual: true });
    for (let ticks = 0; ticks < 5; ticks++) tick({ 0: 'new', 1: 'fails' }, 1_000);
    for (let ticks = 0; ticks < 40; ticks++) tick({ 0: 'new', 1: 'new' }, 1_000);
    expect(tick({ 0: 'new', 1: 'new' }, 1_000)).toEqual([0, 1]);
  });

  it('opens a redundant address when no link answers', () => {
    const { turns, tick } = setup({ links: 2, count: 3, dual: true });
    tick({ 0: 'new', 1: 'new' });
    for (let ticks = 0; ticks < 4; ticks++) tick({ 0: 'fails', 1: 'fails' }, 250);
    expect(tick({ 0: 'fails', 2: 'new' }, 250)).toContain(2);
    expect(turns.active).toBe(2);
  });
});
