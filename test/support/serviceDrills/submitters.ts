import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceUnderTest } from '../serviceUnderTest.ts';

/** One job that somebody wants recorded, and gives up on never. */
export interface Wish {
  readonly key: string;
  /** Name of the origin's stream. */
  readonly stream: string;
  readonly url: string;
  readonly durationSeconds: number;
  /** When it is first asked for, milliseconds after the start of the drill. */
  readonly atMs: number;
}

export interface Accepted extends Wish {
  readonly jobId: string;
  readonly tries: number;
}

export interface SubmitterParts {
  readonly service: ServiceUnderTest;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly fault: (text: string) => void;
  /** Nobody submits any more from then on: `performance.now()`. */
  readonly deadline: number;
}

/** How often the asker hangs up before the answer can have come, as one that dies does. */
const HANGS_UP = 0.25;
const HANGS_UP_WITHIN_MS = 150;
const ANSWER_WITHIN_MS = 10_000;
/** How often the asker asks again although it was answered. */
const ASKS_AGAIN = 0.3;
/** Answers after which the same is to be asked again: in flight, too many, away. */
const COMES_BACK = new Set([409, 429, 500, 503]);

/** Asks for a job, with the same Idempotency-Key again and again, until it was accepted. */
export async function submit(wish: Wish, parts: SubmitterParts): Promise<Accepted | undefined> {
  const { random, fault, deadline } = parts;
  for (let tries = 1; performance.now() < deadline; tries++) {
    const withinMs = random() < HANGS_UP ? random() * HANGS_UP_WITHIN_MS : ANSWER_WITHIN_MS;
    const answer = await ask(wish, parts, withinMs);
    if (answer?.jobId !== undefined) {
      if (random() < ASKS_AGAIN) await askAgain(wish, answer.jobId, parts);
      return { ...wish, jobId: answer.jobId, tries };
    }
    if (answer && !COMES_BACK.has(answer.status)) {
      fault(`${wish.key} was refused with ${answer.status}: ${answer.text}`);
      return undefined;
    }
    // 500 is asked again, for the job's sake; it is a fault all the same.
    if (answer?.status === 500) fault(`${wish.key} was answered with 500: ${answer.text}`);
    await sleep(50 + random() * 400);
  }
  fault(`${wish.key} was never accepted`);
  return undefined;
}

/** The answer to a repetition is the same job, if there is an answer. */
async function askAgain(wish: Wish, jobId: string, parts: SubmitterParts): Promise<void> {
  const again = await ask(wish, parts, ANSWER_WITHIN_MS);
  if (again?.jobId !== undefined && again.jobId !== jobId)
    parts.fault(`${wish.key} made ${jobId}, and then ${again.jobId}`);
}

async function ask(wish: Wish, { service }: SubmitterParts, withinMs: number) {
  try {
    const response = await service.fetch('/api/v1/jobs', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': wish.key },
      body: JSON.stringify({
        url: wish.url,
        durationSeconds: wish.durationSeconds,
        output: `${wish.stream}.mp4`,
        labels: { wish: wish.key },
      }),
      signal: AbortSignal.timeout(withinMs),
    });
    const text = await response.text();
    const isMade = response.status === 200 || response.status === 201;
    const jobId = isMade ? String(JSON.parse(text).id) : undefined;
    return { status: response.status, text, jobId };
  } catch {
    return undefined; // nobody listens, it died before it answered, or the asker hung up
  }
}
