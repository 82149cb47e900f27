import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { CHARTS, LEGAL_MOVES } from '../../machines/index.ts';

/*
 * Writes docs/states.md from the machines themselves; `--check` only says whether the file is what it would write.
 */

const FILE = join(import.meta.dirname, '..', '..', 'docs', 'states.md');

interface Arrow {
  readonly from: AnyStateNode;
  readonly to: AnyStateNode;
  readonly label: string;
}

const HEAD = `# The statecharts

Generated from \`machines/\` by \`npm run docs\`; \`npm run check\` fails when it is stale. How the machines work together is told in
[architecture.md](architecture.md).
`;

export function statesDocument(): string {
  return [HEAD, movesSection(), ...Object.values(CHARTS).map(chartSection)].join('\n');
}

function movesSection(): string {
  const lines = LEGAL_MOVES.map(({ from, to }) => `    ${from} --> ${to}`);
  return [
    '## Job states',
    '',
    'Every move that the chart of Big Dog allows. PostgreSQL refuses all others (`legal_moves`).',
    '',
    '```mermaid',
    'stateDiagram-v2',
    '    [*] --> pending',
    ...lines,
    '```',
    '',
  ].join('\n');
}

function chartSection(chart: AnyStateMachine): string {
  return [
    `## ${chart.id}`,
    '',
    `${chart.root.description}`,
    '',
    '```mermaid',
    'stateDiagram-v2',
    ...diagram(chart.root, 1),
    '```',
    '',
    '| state | what the dog does | actors |',
    '|---|---|---|',
    ...statesOf(chart.root).map(
      (state) =>
        `| \`${pathOf(state)}\` | ${state.description} | ${state.invoke.map(({ id }) => `\`${id}\``).join(' ')} |`,
    ),
    '',
  ].join('\n');
}

const statesOf = (node: AnyStateNode): AnyStateNode[] =>
  Object.values(node.states).flatMap((state) => [state, ...statesOf(state)]);

const pathOf = (node: AnyStateNode): string => node.path.join('.');
const nameOf = (node: AnyStateNode): string => node.path.join('_') || node.key;

/** One level of the chart, and below it the levels of its compound states. */
function diagram(node: AnyStateNode, depth: number): string[] {
  const indent = '    '.repeat(depth);
  const children = Object.values(node.states);
  const nested = children.flatMap((state) =>
    Object.keys(state.states).length === 0
      ? [`${indent}state "${state.key}" as ${nameOf(state)}`]
      : [
          `${indent}state "${state.key}" as ${nameOf(state)} {`,
          ...diagram(state, depth + 1),
          `${indent}}`,
        ],
  );
  const { initial } = node.config;
  const first = typeof initial === 'string' ? node.states[initial] : undefined;
  const arrows = children
    .flatMap(arrowsOf)
    .filter(({ from, to }) => from.parent === node || (depth === 1 && isFar(from, to)))
    .map(({ from, to, label }) => `${indent}${nameOf(from)} --> ${nameOf(to)}: ${label}`);
  const ends = children
    .filter(({ type }) => type === 'final')
    .map((state) => `${indent}${nameOf(state)} --> [*]`);
  return [
    ...nested,
    ...(first ? [`${indent}[*] --> ${nameOf(first)}`] : []),
    ...new Set(arrows),
    ...ends,
  ];
}

const isFar = (from: AnyStateNode, to: AnyStateNode): boolean => from.path[0] !== to.path[0];

function arrowsOf(state: AnyStateNode): Arrow[] {
  const all = [...state.transitions.values()].flat().concat(state.always ?? []);
  return all.flatMap(({ eventType, target, guard }) =>
    (target ?? []).map((to) => ({ from: state, to, label: labelOf(String(eventType), guard) })),
  );
}

function labelOf(eventType: string, guard: unknown): string {
  const event = eventType
    .replace(/^xstate\.done\.actor\.(?:\d+\.)?(.*)$/, '$1 is done')
    .replace(/^xstate\.error\.actor\.(?:\d+\.)?(.*)$/, '$1 fails')
    .replace(/^xstate\.after\.([^.]+)\..*$/, 'after $1')
    .replace(/^$/, 'at once');
  const name = guardName(guard);
  return name ? `${event} [${name}]` : event;
}

function guardName(guard: unknown): string {
  if (guard === undefined) return '';
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'object' && guard !== null && 'type' in guard) {
    const params = 'params' in guard && typeof guard.params === 'string' ? ` ${guard.params}` : '';
    return `${guard.type}${params}`;
  }
  return 'when it fits';
}

if (import.meta.main) {
  const document = statesDocument();
  if (process.argv.includes('--check')) {
    if (readFileSync(FILE, 'utf8') !== document) {
      process.stderr.write('docs/states.md is stale: run "npm run docs"\n');
      process.exitCode = 1;
    }
  } else writeFileSync(FILE, document);
}
