import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import type { AnyStateNode } from 'xstate';
import { CHARTS } from '../machines/index.ts';
import { statesDocument } from './docs/states.ts';

/** The repository's own rules. When one complains, move code, not the rule. */

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const sources = globSync(['src/**/*.ts', 'machines/**/*.ts'], { cwd: root });

/** Which folder may import from which. Read it from the top: nothing imports upward. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  machines: [],
  'src/core': [],
  'src/config': ['src/core'],
  'src/ledger': ['src/core'],
  'src/observability': ['src/core'],
  'src/process': ['src/core', 'src/ledger', 'machines'],
  'src/storage': ['src/core', 'src/ledger'],
  'src/db': ['src/core', 'src/ledger', 'machines'],
  'src/recording': ['src/core', 'src/ledger', 'machines'],
  'src/egress': ['src/core'],
  'src/cage': ['src/core', 'src/egress', 'src/process'],
  'src/intake': ['src/core', 'src/egress', 'src/cage', 'src/process', 'machines'],
  'src/hls': [
    'src/core',
    'src/ledger',
    'src/process',
    'src/egress',
    'src/intake',
    'src/recording',
    'machines',
  ],
  'src/programs': [
    'src/core',
    'src/ledger',
    'src/process',
    'src/egress',
    'src/cage',
    'src/intake',
    'src/recording',
    'machines',
  ],
  'src/hosts': [
    'src/core',
    'src/config',
    'src/process',
    'src/egress',
    'src/cage',
    'src/intake',
    'src/recording',
    'src/hls',
    'src/programs',
    'machines',
  ],
  'src/media': ['src/core', 'src/ledger', 'src/process', 'machines'],
  'src/jobs': [
    'src/core',
    'src/config',
    'src/ledger',
    'src/hls',
    'src/egress',
    'src/cage',
    'src/intake',
    'src/programs',
    'src/media',
    'src/queue',
    'src/capacity',
    'machines',
  ],
  'src/capacity': ['src/core', 'src/process'],
  'src/queue': ['src/core', 'src/capacity', 'machines'],
  'src/webhooks': ['src/core', 'src/egress', 'src/jobs'],
  'src/control': ['src/core', 'src/jobs', 'machines'],
  'src/api': [
    'src/core',
    'src/config',
    'src/ledger',
    'src/jobs',
    'src/queue',
    'src/capacity',
    'src/webhooks',
    'src/control',
    'machines',
  ],
  // Types of the API alone: whoever speaks to a service needs nothing of what makes one.
  'src/client': ['src/core', 'src/api'],
  'src/cli': ['src/core', 'src/config', 'src/ledger', 'src/jobs', 'src/client', 'machines'],
};

/** What adapters may know of the machines: the words and the ports, never a statechart. */
const MACHINE_TYPES = ['machines/vocabulary.ts', 'machines/ports.ts'];
const SEES_ALL_MACHINES = ['src/jobs', 'src/cli', 'src/compose'];

const folderOf = (file: string): string => {
  const [top = '', second = '', third] = file.split('/');
  return top === 'src' && third !== undefined ? `src/${second}` : top;
};

function importsOf(file: string): string[] {
  const found = read(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g);
  return [...found].map(([, specifier = '']) => normalize(join(dirname(file), specifier)));
}

test('nothing imports upward', () => {
  const upward = sources.flatMap((file) => {
    const from = folderOf(file);
    // The composition root, in one file or several, knows every part.
    if (from === 'src' || from === 'src/compose') return [];
    return importsOf(file)
      .filter((target) => folderOf(target) !== from)
      .filter((target) => !MAY_IMPORT[from]?.includes(folderOf(target)))
      .map((target) => `${file} -> ${target}`);
  });
  expect(upward).toEqual([]);
});

test('adapters know of the machines no more than their words and ports', () => {
  const nosy = sources
    .filter((file) => file.startsWith('src/') && folderOf(file) !== 'src')
    .filter((file) => !SEES_ALL_MACHINES.includes(folderOf(file)))
    .flatMap((file) =>
      importsOf(file)
        .filter((target) => target.startsWith('machines/') && !MACHINE_TYPES.includes(target))
        .map((target) => `${file} -> ${target}`),
    );
  expect(nosy).toEqual([]);
});

test('main knows the command line and the composition root, and fits on a screen', () => {
  expect(read('src/main.ts').split('\n').length).toBeLessThanOrEqual(40);
  expect([...new Set(importsOf('src/main.ts'))].sort()).toEqual([
    'src/cli/cli.ts',
    'src/compose.ts',
  ]);
});

test('no file is longer than 400 lines, and no test than 500', () => {
  const lines = (file: string) => read(file).trimEnd().split('\n').length;
  expect(sources.filter((file) => lines(file) > 400)).toEqual([]);
  const tests = globSync('test/**/*.ts', { cwd: root });
  expect(tests.filter((file) => lines(file) > 500)).toEqual([]);
});

test('no file is a catch-all', () => {
  const named = /(^|\/)(utils?|helpers?|types|misc|common|manager)\.ts$/i;
  expect(sources.filter((file) => named.test(file))).toEqual([]);
});

test('machines import nothing but xstate and each other', () => {
  const foreign = sources
    .filter((file) => file.startsWith('machines/'))
    .flatMap((file) =>
      [...read(file).matchAll(/from '([^']+)'/g)]
        .map(([, specifier = '']) => specifier)
        .filter((specifier) => !/^(xstate|\.)/.test(specifier))
        .map((specifier) => `${file} -> ${specifier}`),
    );
  expect(foreign).toEqual([]);
});

test('machines read no clock and no dice of their own', () => {
  const impure = sources
    .filter((file) => file.startsWith('machines/'))
    .filter((file) =>
      /\b(Date\.now|Math\.random|new Date|performance\.|process\.)/.test(read(file)),
    );
  expect(impure).toEqual([]);
});

test('every statechart is in the registry', () => {
  const charts = sources.filter((file) => /\.createMachine\(/.test(read(file)));
  const names = charts.map((file) => file.replace(/^machines\/|\.ts$/g, '')).sort();
  expect(names).toEqual(Object.keys(CHARTS).sort());
});

test('every state says what the dog does in it', () => {
  const undescribed = (node: AnyStateNode): string[] => [
    ...(node.description ? [] : [node.id]),
    ...Object.values(node.states).flatMap(undescribed),
  ];
  expect(Object.values(CHARTS).flatMap((chart) => undescribed(chart.root))).toEqual([]);
});

test('only the configuration reads the environment', () => {
  const nosy = sources
    .filter((file) => !file.startsWith('src/config/') && file !== 'src/main.ts')
    .filter((file) => /process\.env/.test(read(file)));
  expect(nosy).toEqual([]);
});

test('no test sleeps: the clock is moved, or the event is awaited', () => {
  const sleepy = globSync('test/{unit,machines,simulation,conformance}/**/*.test.ts', {
    cwd: root,
  });
  expect(sleepy.filter((file) => /\b(sleep|delay)\(\d|timers\/promises/.test(read(file)))).toEqual(
    [],
  );
});

test('the architecture tells of every folder', () => {
  const told = read('docs/architecture.md');
  const folders = new Set(sources.map(folderOf).filter((folder) => folder !== 'src'));
  expect([...folders].filter((folder) => !told.includes(`\`${folder}/`))).toEqual([]);
});

test('docs/states.md is what the machines are', () => {
  expect(read('docs/states.md')).toBe(statesDocument());
});

test('the README is short, and every version is pinned', () => {
  expect(read('README.md').split('\n').length).toBeLessThanOrEqual(250);
  const { dependencies, devDependencies } = JSON.parse(read('package.json'));
  const loose = Object.entries<string>({ ...dependencies, ...devDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+$/.test(version),
  );
  expect(loose).toEqual([]);
});
