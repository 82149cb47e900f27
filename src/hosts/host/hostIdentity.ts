/** Which host of which node a process is. */
export interface HostIdentity {
  readonly hostId: string;
  /** The node's run directory, resolved: one name for the node, whatever it was given. */
  readonly node: string;
}

/** In the environment of every program that a host starts: the run directory of its node. */
export const PROGRAM_MARKER = 'KENNEL_PROGRAM_OF';
/** In the environment of every program that a host starts: the id of that host. */
export const HOST_MARKER = 'KENNEL_HOST';

/**
 * What a host puts into the environment of every program that it starts, beside `KENNEL_JOB`. By these a later life of the node
 * finds what a dead host left running, wherever it has gone.
 */
export const programMarkers = ({
  hostId,
  node,
}: HostIdentity): Readonly<Record<string, string>> => ({
  [PROGRAM_MARKER]: node,
  [HOST_MARKER]: hostId,
});
