import type { Scenario } from './scenario.ts';
import type { Verdict } from './verdict.ts';

const TRUTH = { true: '', lied: ' LIED', 'false alarm': ' false alarm', hung: ' HUNG' } as const;

/** `lost/duplicated/torn → exit code`, and what was wrong with its word. */
function cell(verdict: Verdict | undefined): string {
  if (verdict === undefined) return '–';
  const { lost, duplicated, torn, exitCode, truth } = verdict;
  const numbers = [lost, duplicated, torn].map(({ length }) => length).join('/');
  return `${numbers} → ${exitCode ?? 'signal'}${TRUTH[truth]}`;
}

const pad = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

/** Scenario by recorder, then the sums. */
export function table(
  scenarios: readonly Scenario[],
  recorders: readonly string[],
  verdicts: readonly Verdict[],
): string {
  const of = (scenario: string, recorder: string): Verdict | undefined =>
    verdicts.find((one) => one.scenario === scenario && one.recorder === recorder);
  const rows = scenarios.map(({ name }) => {
    const cells = recorders.map((recorder) => of(name, recorder));
    const unavoidable = Math.max(0, ...cells.map((one) => one?.unavoidable.length ?? 0));
    return [name, String(unavoidable), ...cells.map(cell)];
  });
  const sums = recorders.map((recorder) =>
    sumsOf(verdicts.filter((one) => one.recorder === recorder)),
  );
  const LINES = [
    'lost',
    'duplicated',
    'torn',
    'lied',
    'hung',
    'false alarms',
    'left at start',
    'runs',
  ];
  const below = LINES.map((line, at) => [
    `SUM ${line}`,
    '',
    ...sums.map((sum) => String(sum[at] ?? 0)),
  ]);
  return pad([['scenario', 'unavoidable', ...recorders], ...rows, ...below]);
}

function sumsOf(verdicts: readonly Verdict[]): number[] {
  const sum = (of: (verdict: Verdict) => number): number =>
    verdicts.reduce((total, verdict) => total + of(verdict), 0);
  return [
    sum(({ lost }) => lost.length),
    sum(({ duplicated }) => duplicated.length),
    sum(({ torn }) => torn.length),
    sum(({ truth }) => Number(truth === 'lied')),
    sum(({ truth }) => Number(truth === 'hung')),
    sum(({ truth }) => Number(truth === 'false alarm')),
    sum(({ skipped }) => skipped.length),
    verdicts.length,
  ];
}

/** Everything that Kennel did wrong, in sentences. */
export function complaints(verdicts: readonly Verdict[]): string {
  return verdicts
    .map((verdict) => {
      const { lost, skipped, duplicated, torn, strangePackets, flaws, truth, said } = verdict;
      const parts = [
        ...describe('lost', lost),
        ...describe('left at start', skipped),
        ...describe('duplicated', duplicated),
        ...describe('torn', torn),
        ...(strangePackets > 0 ? [`${strangePackets} strange packets`] : []),
        ...(truth === 'true' ? [] : [truth]),
        ...flaws,
      ];
      return `${verdict.scenario}: ${parts.join('; ')} (${lastLine(said)})`;
    })
    .join('\n');
}

const describe = (what: string, indexes: readonly number[]): string[] =>
  indexes.length === 0 ? [] : [`${what} ${indexes.join(' ')}`];

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';
