import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { BootMoment } from '../../../src/core/bootMoment.ts';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { openJournal, readJournal } from '../../../src/ledger/journal.ts';
import { openJournalFile } from '../../../src/ledger/journalFile.ts';
import { JournalWriter } from '../../../src/recording/journalWriter.ts';
import { writeStarted } from '../../../src/recording/writeStarted.ts';

const source = { recorder: 'native', link: 0 };

/** A journal on a disk that takes nothing while `disk.held` is set. */
async function setup(boot?: BootMoment) {
  const directory = await mkdtemp(path.join(tmpdir(), 'kennel-started-'));
  const disk = { held: undefined as Promise<void> | undefined };
  const clock: Clock = { ...systemClock, now: () => 1_000, boot: () => boot };
  const journal = await openJournal(directory, {
    clock,
    openFile: async (where, mode) => {
      const file = await openJournalFile(where, mode);
      const append = async (bytes: Uint8Array) => {
        await disk.held;
        return await file.append(bytes);
      };
      return { ...file, append };
    },
  });
  const nothing = () => undefined;
  const told = { troubled: nothing, healed: nothing, broken: nothing };
  const writer = new JournalWriter({ journal, clock, ...told });
  void writer.write({ t: 'recording', v: 1, checksums: 'sha256', jobId: 'job', at: 1 });
  onTestFinished(async () => {
    await writer.abandon();
    await journal.close();
    await rm(directory, { recursive: true });
  });
  const controller = new AbortController();
  const begin = () => writeStarted({ clock, writer, source, signal: controller.signal });
  const lines = async () => (await readJournal(directory)).records.slice(1);
  return { controller, disk, begin, lines };
}

test('the line is on the disk once it resolves with its time, and names the boot of the machine', async () => {
  const boot = { boot: 'one', ms: 5 };
  const { begin, lines } = await setup(boot);
  expect(await begin()).toBe(1_000);
  expect(await lines()).toEqual([{ t: 'started', at: 1_000, boot, source }]);
});

test('where the machine does not tell its boot, nothing is said of it', async () => {
  const { begin, lines } = await setup();
  await begin();
  expect(await lines()).toEqual([{ t: 'started', at: 1_000, source }]);
});

test('it is not waited for after the signal, without a rejection, and may still be written', async () => {
  const { controller, disk, begin, lines } = await setup();
  const { promise, resolve } = Promise.withResolvers<void>();
  disk.held = promise;
  const begun = begin();
  controller.abort(new Error('let go'));
  expect(await begun).toBe(1_000);
  expect(await lines()).toEqual([]);
  resolve();
  while ((await lines()).length === 0) await new Promise((look) => setImmediate(look));
});
