import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { JobSpec } from '../../../machines/vocabulary.ts';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import type { NativeOptions } from '../../../src/hls/jobRecording.ts';
import { nativeRecording } from '../../../src/hls/nativeRecorder.ts';
import { leanTransport } from '../../../src/hls/transport/leanTransport.ts';
import { readJournal } from '../../../src/ledger/journal.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';
import { recorderOf } from '../../../src/recording/recorderSession.ts';
import { type Answer, type TinyOrigin, tinyOrigin, tsSegment } from './streamRecorderOrigin.ts';

/** Real timers, but faster: what waits for seconds in the field waits for hundredths here. */
export const fasterBy = (factor: number): Clock => ({
  ...systemClock,
  elapsed: () => systemClock.elapsed() * factor,
  setTimeout: (callback, delayMs) => systemClock.setTimeout(callback, delayMs / factor),
});

export const segmentAt = (requested: string): Buffer | undefined => {
  const [, number] = /\/s(\d+)\.ts/.exec(requested) ?? [];
  return number === undefined ? undefined : tsSegment(Number(number));
};

/** Resolves once the condition holds; the test's own time limit is the limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** What a job wants, as far as a test does not say otherwise. */
export const SPEC: Omit<JobSpec, 'url'> = {
  quality: ['best'],
  waitMs: 0,
  patienceMs: 60_000,
  output: '/nowhere/',
  keepSegments: true,
};

/** How a source gets at its playlists, until the end of the test. */
export function sourceParts() {
  const transport = leanTransport();
  const life = new AbortController();
  onTestFinished(() => {
    life.abort();
    transport.close();
  });
  return { transport, life: life.signal };
}

/** Recorders over real sockets and real files, in a directory of their own. */
export async function recorderSetup(native: NativeOptions = {}) {
  const directory = await mkdtemp(path.join(tmpdir(), 'kennel-recorder-'));
  const transport = leanTransport();
  const started: number[] = [];
  const logged: { message: string; fields: Readonly<Record<string, unknown>> }[] = [];
  const on = { started: () => {} };
  onTestFinished(async () => {
    transport.close();
    await rm(directory, { recursive: true, force: true });
  });
  const record = (spec: Partial<JobSpec>, attempt = 1, clock: Clock = fasterBy(30)) =>
    recorderOf(
      nativeRecording(transport, native),
      () => 'native',
    )({
      job: {
        id: 'job-1',
        attempt,
        spec: { url: 'http://127.0.0.1:9/', ...SPEC, ...spec },
      },
      directory,
      clock,
      random: () => 0.5,
      onStarted: (at) => {
        started.push(at);
        on.started();
      },
      log: (message, fields) => void logged.push({ message, fields }),
    });
  const journal = async () => {
    const { records } = await readJournal(directory);
    const ledger = new Ledger();
    for (const line of records) ledger.apply(line);
    return { records, ledger };
  };
  const file = (name: string) => path.join(directory, name);
  return { directory, on, started, logged, record, journal, file };
}

/** An origin that is closed with the test. */
export async function originFor(
  answer: (requested: string) => Answer | undefined,
): Promise<TinyOrigin> {
  const origin = await tinyOrigin(answer);
  onTestFinished(() => origin.close());
  return origin;
}
