import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, test } from 'vitest';
import { LEGAL_MOVES } from '../../machines/index.ts';
import { systemClock } from '../../src/core/clock.ts';
import { openDatabase } from '../../src/db/database.ts';
import { jobStore } from '../../src/db/jobStore.ts';
import { databasesUnderTest } from '../support/databasesUnderTest.ts';

const WRITER = join(import.meta.dirname, '../fixtures/databaseWriter.ts');
const KILLS = 20;
/** On a server, every fifth time the server itself crashes too. */
const CRASH_EVERY = 5;

type Place = { readonly directory: string; readonly url?: string | undefined };

/** Runs a writer, kills it with -9 after so many acknowledged moves, and adds the highest version of each job. */
async function writeAndKill(place: Place, acknowledged: number, kept: Map<string, number>) {
  const { directory, url } = place;
  const writer = spawn(process.execPath, [WRITER, directory, ...(url ? [url] : [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaint = '';
  writer.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  const closed = once(writer, 'close');
  let lines = 0;
  for await (const line of createInterface({ input: writer.stdout })) {
    const [, id, version] = /^([0-9a-f-]{36}) (\d+)$/.exec(line) ?? [];
    if (id && version) kept.set(id, Number(version)); // a line cut short was not said
    if (++lines === acknowledged) writer.kill('SIGKILL');
  }
  await closed;
  if (lines < acknowledged) throw new Error(`the writer ended by itself: ${complaint}`);
}

for (const under of await databasesUnderTest()) {
  describe.skipIf(under.missing)(`${under.kind} under kill -9`, () => {
    afterAll(() => under.stop());

    test(`keeps every acknowledged move through ${KILLS} kills in the middle of writing`, async () => {
      const place = await under.place();
      const kept = new Map<string, number>();
      for (let kill = 1; kill <= KILLS; kill++) {
        await writeAndKill(place, 5 + ((kill * 37) % 90), kept);
        if (kill % CRASH_EVERY === 0) await (await under.breakOff()).restore();
      }

      const database = await openDatabase({ ...place, legalMoves: LEGAL_MOVES });
      const store = jobStore(database, { clock: systemClock });
      const lost: string[] = [];
      for (const [id, version] of kept) {
        const history = await store.transitions(id);
        const job = await store.get(id);
        const versions = history.map((move) => move.version);
        expect(versions).toEqual(history.map((_, index) => index + 1));
        expect(job).toMatchObject({ version: history.length, state: history.at(-1)?.to });
        if (history.length < version) lost.push(`${id} ${version}`);
      }
      await database.close();
      expect(lost).toEqual([]);
      expect(kept.size).toBeGreaterThanOrEqual(KILLS);
    });
  });
}
