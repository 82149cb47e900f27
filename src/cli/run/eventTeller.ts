import type { KennelEvent } from '../../jobs/events.ts';
import type { Terminal } from '../terminal.ts';
import { RepeatedGaps } from './repeatedGaps.ts';
import { sentenceOf, summaryOf } from './sentences.ts';

/** Prints events as they come: sentences for a person, JSON for a program. */
export function eventTeller(
  terminal: Terminal,
  { json, quiet }: { readonly json?: boolean | undefined; readonly quiet?: boolean | undefined },
): (event: KennelEvent) => void {
  const gaps = new RepeatedGaps();
  return (event) => {
    if (json) return terminal.out(JSON.stringify(event));
    const sentence = quiet ? undefined : worthTelling(event, gaps);
    if (sentence) terminal.err(`${terminal.style('dim', event.at.slice(11, 23))} ${sentence}`);
    if (event.type === 'job.ended') for (const line of summaryOf(event)) terminal.out(line);
  };
}

function worthTelling(event: KennelEvent, gaps: RepeatedGaps): string | undefined {
  const sentence = sentenceOf(event);
  if (event.type !== 'segment.lost') return sentence;
  const { count, isTold } = gaps.take(event);
  if (!isTold) return undefined;
  return count === event.count ? sentence : `${sentence} (${count} segments so far)`;
}
