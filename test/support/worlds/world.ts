import type { SetDescription } from '../origin/mediaSet.ts';

/** A source that programs can record: real servers on ports of their own, which end with the test. */
export interface World {
  /** What is recorded. */
  readonly url: string;
  /** What it plays, over and over where it is live: the reference for `judge`. Positions are those within the set. */
  readonly truth: SetDescription;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Adds the disposal that every world has. */
export const disposable = <T extends { close(): Promise<void> }>(
  world: T,
): T & { [Symbol.asyncDispose](): Promise<void> } =>
  Object.assign(world, { [Symbol.asyncDispose]: () => world.close() });
