import { toolPath, whyMissing } from '../../support/tools.ts';
import type { Peer } from './peers.ts';

/** The files of the peers' programs that are here; says which are not. */
export async function findPrograms(
  peers: readonly Peer[],
  say: (text: string) => void,
): Promise<ReadonlyMap<Peer, string>> {
  const found = new Map<Peer, string>();
  for (const peer of peers) {
    // curl is found by whoever starts it.
    const file = peer === 'curl' ? peer : await toolPath(peer);
    if (file !== undefined) found.set(peer, file);
    else if (peer !== 'curl') say(`did not run: ${peer}, because ${await whyMissing(peer)}`);
  }
  return found;
}
