import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { isJobState, isTerminal, type JobState } from './vocabulary.ts';

export interface LegalMove {
  readonly from: JobState;
  readonly to: JobState;
}

/**
 * Every move from one job state to another that Big Dog's chart allows; states without a name in the vocabulary are passed
 * through. The database refuses all others, so this list is never written by hand.
 */
export function legalMoves(chart: AnyStateMachine): readonly LegalMove[] {
  const edges = new Map<string, Set<string>>();
  collect(chart.root, edges);
  const names = Object.keys(chart.root.states).filter(isJobState);
  return names
    .filter((from) => !isTerminal(from))
    .flatMap((from) => reachable(from, edges).map((to) => ({ from, to })));
}

const topOf = (node: AnyStateNode): string => (node.parent?.parent ? topOf(node.parent) : node.key);

/** Notes, for every top-level state, the top-level states that a transition of it or of anything in it leads to. */
function collect(node: AnyStateNode, edges: Map<string, Set<string>>): void {
  const sources = node.parent ? [topOf(node)] : Object.keys(node.states);
  const transitions = [...node.transitions.values()].flat().concat(node.always ?? []);
  for (const source of sources) {
    const targets = edges.get(source) ?? new Set();
    edges.set(source, targets);
    for (const { target } of transitions) for (const to of target ?? []) targets.add(topOf(to));
  }
  for (const child of Object.values(node.states)) collect(child, edges);
}

/** The job states that can be next after `from`, through states that are none. */
function reachable(from: JobState, edges: Map<string, Set<string>>): JobState[] {
  const found = new Set<JobState>();
  const passed = new Set<string>();
  const todo: string[] = [from];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    for (const to of edges.get(at) ?? []) {
      if (isJobState(to)) found.add(to);
      else if (!passed.has(to)) {
        passed.add(to);
        todo.push(to);
      }
    }
  }
  found.delete(from);
  return [...found];
}
