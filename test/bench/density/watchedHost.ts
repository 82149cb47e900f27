import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/**
 * Kennel's own recorder host, which at its end writes beside its socket how long its event loop let things wait: figures
 * that no one outside can see. The first seconds, in which all streams begin at once, count apart.
 */
const RESOLUTION_MS = 10;
const BEGINNING_MS = 10_000;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();

const figures = () => ({
  // The monitor's own timer is part of what it measures.
  p50: delays.percentile(50) / 1e6 - RESOLUTION_MS,
  p99: delays.percentile(99) / 1e6 - RESOLUTION_MS,
  max: delays.max / 1e6 - RESOLUTION_MS,
});

let beginning = figures();
setTimeout(() => {
  beginning = figures();
  delays.reset();
}, BEGINNING_MS).unref();

const socket = process.argv[process.argv.indexOf('--socket') + 1] ?? '';
process.once('exit', () => {
  const text = JSON.stringify({ beginning, later: figures() });
  writeFileSync(join(dirname(socket), '..', 'loop-delay.json'), text);
});
await import('../../../src/hosts/host/main.ts');
