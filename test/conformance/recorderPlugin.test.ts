import { describe, expect, test } from 'vitest';
import { PLUGINS } from '../../src/programs/plugins.ts';
import { obeysTheLaws } from './recorderPluginLaws.ts';

describe.each(PLUGINS.map((plugin) => [plugin.name, plugin] as const))('%s', (_name, plugin) => {
  obeysTheLaws(plugin);
});

test('no two plugins have one name', () => {
  const names = PLUGINS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});
