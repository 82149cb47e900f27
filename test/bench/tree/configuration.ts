/** One run of the bench: one child process, so that heaps and compiled code do not mix. */
export interface Configuration {
  /** `tree`: Kennel's supervision tree. `plain`: the same watching by hand, as the floor to compare with. */
  readonly watcher: Watcher;
  readonly jobs: number;
  /** Jobs that live and end before anything is measured. 0: a node that has just booted, its code not compiled yet. */
  readonly warmUpJobs: number;
  /** How often every recorder's signs of life are looked at, milliseconds. */
  readonly heartbeatMs: number;
  /** How long the steady state is watched, milliseconds. */
  readonly steadyMs: number;
  readonly commits: Commits;
}

export const WATCHERS = ['tree', 'plain'] as const;
export type Watcher = (typeof WATCHERS)[number];

/**
 * When a commit resolves. `atOnce`: in a microtask, so a storm is one piece of pure computing and its longest stall is all
 * of it. `nextTurn`: after the event loop has come round, as an answer from a socket does.
 */
export const COMMITS = ['atOnce', 'nextTurn'] as const;
export type Commits = (typeof COMMITS)[number];
