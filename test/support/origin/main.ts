/**
 * The origin as a program of its own:
 * `node test/support/origin/main.ts --port 8900 --set ts [--rate 1] [--window 6] [--options '{"gzip":true}']`
 * Prints one JSON line with its addresses once it listens, and ends on SIGINT or SIGTERM.
 */
import { parseArgs } from 'node:util';
import { startOrigin } from './origin.ts';
import { StreamOptions } from './streamOptions.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    /** Repeatable: each makes a stream of its set's name. */
    set: { type: 'string', multiple: true, default: ['ts', 'hi'] },
    rate: { type: 'string', default: '1' },
    window: { type: 'string', default: '6' },
    /** More stream options, for all of them. */
    options: { type: 'string', default: '{}' },
  },
});

const common = StreamOptions.partial().parse({
  rate: Number(values.rate),
  window: values.window === 'all' ? 'all' : Number(values.window),
  ...JSON.parse(values.options),
});
const streams = Object.fromEntries(values.set.map((set) => [set, { ...common, set }]));
const origin = await startOrigin({ port: Number(values.port), streams });
const playlists = values.set.map((set) => origin.playlistUrl(set));
process.stdout.write(
  `${JSON.stringify({ url: origin.url, master: origin.masterUrl, playlists })}\n`,
);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void origin.stop());
}
