import { defineConfig } from 'vitest/config';

const isRealTime = (name: string) => name === 'integration' || name === 'e2e' || name === 'worlds';

/** Whole recorders on real sockets and files, with time that runs thirty times faster: a machine that is away for a second loses half a minute. */
const HURRIED = ['test/unit/hls/streamRecorder*.test.ts', 'test/unit/hls/source*.test.ts'];

/** Real programs, sockets and files, but nothing that has to keep up with a clock: these may run beside each other. */
const TOOLS = [
  'test/integration/{finish,cage,hostile,intake}*.test.ts',
  'test/integration/{pluginTools,programOutput,probeRelayed,livePicture}.test.ts',
];

const project = (name: string, include: readonly string[], testTimeout: number) => ({
  test: {
    name,
    root: '.',
    include: [...include],
    exclude: name === 'unit' ? HURRIED : name === 'integration' ? TOOLS : [],
    testTimeout,
    hookTimeout: 60_000,
    // Whole products and servers in real time wait for most of it, so two at once go well on two cores, and more would measure each
    // other; and one more try where a shared machine was away for seconds, which the report then shows.
    fileParallelism: name !== 'worlds',
    ...(isRealTime(name) && { maxWorkers: 2 }),
    sequence: { groupOrder: name === 'tools' ? 1 : 0 },
    retry: isRealTime(name) || name === 'tools' ? 1 : name === 'recorder' ? 2 : 0,
  },
});

export default defineConfig({
  test: {
    root: '.',
    globalSetup: ['test/support/globalSetup.ts'],
    // Of tests within a file that are said to run side by side.
    maxConcurrency: 3,
    projects: [
      project('unit', ['test/unit/**/*.test.ts', 'test/tidy.test.ts'], 60_000),
      project('recorder', HURRIED, 60_000),
      project('machines', ['test/machines/**/*.test.ts'], 10_000),
      project('simulation', ['test/simulation/**/*.test.ts'], 120_000),
      project('conformance', ['test/conformance/**/*.test.ts'], 60_000),
      project('integration', ['test/integration/**/*.test.ts'], 180_000),
      project('tools', TOOLS, 180_000),
      project('e2e', ['test/e2e/**/*.test.ts'], 300_000),
      // That the sources and the misbehaving programs of other tests are what they are taken for, and drills with them.
      project('worlds', ['test/worlds/**/*.test.ts'], 120_000),
    ],
  },
});
