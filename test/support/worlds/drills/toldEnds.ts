import type { Ended } from '../programStage.ts';

/** What was told of a program's end, or of the decision to end it. */
export interface ToldEnd {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly text: string;
}

/** Moves and decisions of the job, and what the recorder said of its programs, in the order of time. */
export function toldEnds({ events }: Pick<Ended, 'events'>, logs: string): ToldEnd[] {
  const decided = events.flatMap((event) =>
    event.type === 'job.decided' || (event.type === 'job.moved' && event.from === 'recording')
      ? [{ at: Date.parse(event.at), text: JSON.stringify(event) }]
      : [],
  );
  // Programs that end well are followed by others within one attempt: only the recorder tells of these.
  const over = logs.split('\n').flatMap((text) => {
    const [, time] = /^\{"level":\d+,"time":(\d+|"[^"]+"),.*"A program is over\."/.exec(text) ?? [];
    return time === undefined ? [] : [{ at: timeOf(JSON.parse(time)), text }];
  });
  return [...decided, ...over].toSorted((a, b) => a.at - b.at);
}

const timeOf = (time: unknown): number =>
  typeof time === 'number' ? time : Date.parse(String(time));
