import { writeSync } from 'node:fs';
import { systemClock } from '../../../src/core/clock.ts';
import { openJournal } from '../../../src/ledger/journal.ts';

// Appends numbered segments to the journal in argv[2], several at once, and says each number once it is acknowledged.
// Runs until it is killed.
const journal = await openJournal(process.argv[2] ?? '', { clock: systemClock });
let msn = journal.ledger.nextMsn('main') ?? 0;
const writer = async () => {
  for (;;) {
    const mine = msn++;
    await journal.append([
      {
        t: 'segment',
        track: 'main',
        epoch: 0,
        msn: mine,
        at: Date.now(),
        durationMs: 2000,
        bytes: 188,
        checksum: 'a'.repeat(64),
        file: `main/${mine}.ts`,
        container: 'ts',
        discontinuity: 0,
      },
    ]);
    writeSync(1, `${mine}\n`);
  }
};
await Promise.all(Array.from({ length: 8 }, writer));
