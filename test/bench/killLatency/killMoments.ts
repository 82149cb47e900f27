import { SseReader } from '../../support/realtime/sseReader.ts';

interface Moments {
  /** When the move was made, milliseconds since the epoch: it was committed between this and when it was heard. */
  readonly endedAt: number;
  readonly heardAt: number;
}

/** States that a kill leads to; what is on disk may still be finished after it. */
const ENDED = new Set(['cancelled', 'failed', 'completed', 'muxing']);

/** Hears of everything, and remembers when jobs were ended. */
export async function killMoments(url: string) {
  const stream = new SseReader(await fetch(`${url}/events?types=job.moved`));
  await stream.frame();
  const waiting = new Map<string, (moments: Moments) => void>();
  const read = async () => {
    for (let event = await stream.event(); event !== undefined; event = await stream.event()) {
      const { jobId = '', at, data } = event;
      if (ENDED.has(String(data['to'])))
        waiting.get(jobId)?.({ endedAt: Date.parse(at), heardAt: Date.now() });
    }
  };
  const reading = read();
  return {
    /** To be asked before the kill is sent. */
    of: (jobId: string) => new Promise<Moments>((resolve) => waiting.set(jobId, resolve)),
    close: async () => {
      await stream.close();
      await reading;
    },
  };
}
