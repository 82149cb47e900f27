import { LEGAL_MOVES } from '../../machines/index.ts';
import { CostStore } from '../../src/db/costStore.ts';
import { type OpenDatabaseOptions, openDatabase } from '../../src/db/database.ts';

/** What recordings cost is learnt already, and is next to nothing. */
const CHEAP = {
  cpu: 0.0001,
  memoryBytes: 1_024,
  networkBytesPerSecond: 1,
  diskBytesPerSecond: 1,
  descriptors: 1,
};

/** Tells a database that is not open yet so: then places are what there is too little of, whoever else uses the machine. */
export async function learnCheapJobs(
  place: Pick<OpenDatabaseOptions, 'url' | 'directory'>,
): Promise<void> {
  const database = await openDatabase({ ...place, legalMoves: LEGAL_MOVES });
  await new CostStore(database, Date.now).put('hls', {
    mean: CHEAP,
    deviation: CHEAP,
    samples: 100,
  });
  await database.close();
}

/** With these settings neighbours that take all processors stop no job either. */
export const SHARED_MACHINE = {
  KENNEL_ALLOW: '127.0.0.1,localhost',
  KENNEL_CAPACITY_CPU_SHARE: '1',
  KENNEL_CAPACITY_CPU_PRESSURE_PERCENT_MAX: '100',
};
