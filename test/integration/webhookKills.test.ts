import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { pgliteDirectory } from '../support/database.ts';
import { WebhookReceiver } from '../support/webhooks/receiver.ts';

const LIFE = join(import.meta.dirname, '../fixtures/webhookLife.ts');
const KILLS = 4;

interface Status {
  readonly waiting: number;
  readonly events: number;
}

/** Starts a life and reads what it says, until it is told to go. */
async function live(args: readonly string[], until: (status: Status) => boolean): Promise<Status> {
  const child: ChildProcess = spawn(process.execPath, [LIFE, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  try {
    if (!child.stdout) throw new Error('it has no output');
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.startsWith('{')) continue;
      const status = JSON.parse(line) as Status;
      if (until(status)) return status;
    }
    throw new Error('it ended by itself');
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}

test('killed again and again, a sender tells each event under one id, in order for each job, and leaves none out', async () => {
  const directory = pgliteDirectory();
  const receiver = new WebhookReceiver();
  await receiver.open();
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const before = receiver.taken.length;
      // In the middle of its work: some deliveries are there, some are on their way, some wait.
      await live(
        [directory, receiver.url, 'true'],
        () => receiver.taken.length > before + 20 * (kill % 3) + 5,
      );
    }
    const { events } = await live(
      [directory, receiver.url, 'false'],
      ({ waiting, events: made }) => {
        const ids = new Set(receiver.taken.map(({ id }) => id));
        return waiting === 0 && ids.size === made;
      },
    );
    const bodies = new Map<string, string>();
    const last = new Map<string, { place: bigint; id: string }>();
    let repeated = 0;
    for (const { id, body } of receiver.taken) {
      expect(bodies.get(id) ?? body).toBe(body);
      repeated += bodies.has(id) ? 1 : 0;
      bodies.set(id, body);
      const { jobId, place } = JSON.parse(body);
      const [xid = '0', number = '0'] = String(place).split('-');
      const mine = { place: (BigInt(xid) << 64n) + BigInt(number), id };
      const earlier = last.get(jobId);
      // What comes again is the one that came last; everything else is later.
      if (earlier?.id !== id) expect(mine.place > (earlier?.place ?? 0n)).toBe(true);
      last.set(jobId, mine);
    }
    const places = new Set([...bodies.values()].map((body) => JSON.parse(body).place));
    expect([bodies.size, places.size]).toEqual([events, events]);
    expect(repeated).toBeLessThanOrEqual(KILLS * 8);
  } finally {
    await receiver.close();
    rmSync(directory, { recursive: true, force: true });
  }
}, 170_000);
