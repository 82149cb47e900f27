import { onTestFinished } from 'vitest';
import type { ApiParts } from '../../../src/api/apiParts.ts';
import { apiApp } from '../../../src/api/app.ts';
import { openFrontDoor } from '../../../src/api/frontDoor.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { memoryOperations } from './memoryOperations.ts';
import { memoryParts, OWN } from './memoryParts.ts';

/** An API over parts in memory, on a real socket of loopback, until the test is over. */
export async function servedApi(given: Partial<ApiParts> = {}) {
  const memory = memoryOperations();
  const made = memoryParts({ operations: memory.operations, ...given });
  const door = await openFrontDoor(
    { host: '127.0.0.1', port: 0, clock: systemClock },
    apiApp(made.parts),
  );
  onTestFinished(async () => {
    await made.parts.realtime.stop();
    await door.close();
  });
  return { ...memory, ...made, url: door.address, key: await made.accessKeys.keyFor(OWN) };
}
