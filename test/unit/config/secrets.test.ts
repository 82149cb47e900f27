import { format, inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configView } from '../../../src/config/configView.ts';
import { LiveConfig } from '../../../src/config/liveConfig.ts';
import { readConfig } from '../../../src/config/load.ts';
import { SETTINGS } from '../../../src/config/settings.ts';
import { Secret } from '../../../src/core/secret.ts';

/** Long and odd enough that nothing else says it by chance. */
const word = fc.stringMatching(/^[a-z0-9]{16,24}$/);

/** A value of every secret setting, with a word in it that must not be seen. */
const SECRETS: Readonly<Record<string, (hidden: string) => string>> = {
  DATABASE_URL: (hidden) => `postgres://user:${hidden}@localhost/${hidden}`,
  LIVECLIPPER_SECRET: (hidden) => `whsec_${hidden}`,
};

/** Everything that somebody could do with what was read. */
const ways: readonly ((shown: unknown) => string)[] = [
  (shown) => JSON.stringify(shown),
  (shown) => inspect(shown, { depth: Number.POSITIVE_INFINITY, showHidden: true }),
  (shown) => format('%o %O %j %s', shown, shown, shown, shown),
  (shown) => `${Object.values(Object(shown))}`,
];

describe('a secret', () => {
  test('is in nothing that is made of the settings, of their view, or of a reload', () => {
    fc.assert(
      fc.property(word, word, (hidden, next) => {
        const env = (secret: string) => ({
          HOME: '/nowhere',
          ...Object.fromEntries(Object.entries(SECRETS).map(([name, of]) => [name, of(secret)])),
        });
        const load = (secret: string) => readConfig({ env: env(secret), directory: '/nowhere' });
        const lines: unknown[] = [];
        const first = load(hidden);
        const live = new LiveConfig(first, {
          load: () => load(next),
          log: (...line) => lines.push(line),
        });
        const shown = [first, configView(first), live, live.reload('SIGHUP'), live.view(), lines];
        for (const way of ways)
          for (const text of shown.map(way)) {
            expect(text).not.toContain(hidden);
            expect(text).not.toContain(next);
          }
        expect(lines.length).toBe(2);
      }),
      { numRuns: 50 },
    );
  });

  test('is in no complaint about settings, whatever else is wrong', () => {
    fc.assert(
      fc.property(word, (hidden) => {
        const env = { DATABASE_URL: `${hidden}://${hidden}`, KENNEL_HOSTS: 'many' };
        expect(() => readConfig({ env })).toThrow(/KENNEL_HOSTS/);
        expect(() => readConfig({ env })).not.toThrow(hidden);
      }),
      { numRuns: 50 },
    );
  });

  test('is tried here for every setting that is one', () => {
    const secret = SETTINGS.filter((setting) => setting.secret).map(({ names }) => names[0]);
    expect(secret.sort()).toEqual(Object.keys(SECRETS).sort());
  });

  test('tells itself apart from another one, and is told on request', () => {
    expect(new Secret('a').equals(new Secret('a'))).toBe(true);
    expect(new Secret('a').equals(new Secret('b'))).toBe(false);
    expect(new Secret('a').reveal()).toBe('a');
  });
});
