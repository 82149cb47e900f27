import { parseArgs } from 'node:util';
import { fuzzApi } from '../support/api/fuzz.ts';

/** `node test/fuzz/api.ts [--cases 1000] [--seed 42]`: so many requests to each operation of the API, in memory. */
const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '42' },
  },
});
const began = performance.now();
const { answers, requests } = await fuzzApi({
  cases: Number(values.cases),
  seed: Number(values.seed),
});
const seconds = ((performance.now() - began) / 1_000).toFixed(1);
const lines = Object.entries(answers)
  .sort(([one], [other]) => one.localeCompare(other))
  .map(([answer, times]) => `${String(times).padStart(8)}  ${answer}`);
process.stdout.write(
  `${lines.join('\n')}\n${requests} requests in ${seconds} s: no 5xx, nothing undeclared, every body as its schema says\n`,
);
