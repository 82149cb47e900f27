import type { KennelEvent } from '../../jobs/events.ts';
import { bytesText } from '../bytes.ts';
import { clockText } from '../duration.ts';

/** What a person reads of an event; undefined for what only the status line shows. */
export function sentenceOf(event: KennelEvent): string | undefined {
  switch (event.type) {
    case 'job.accepted':
      return event.resumed
        ? `goes on with the unfinished job ${event.jobId}${renewal(event.changed)}`
        : `records ${event.url} as job ${event.jobId}`;
    case 'recording.started':
      return `the stream is live: ${describe(event.source)}`;
    case 'job.moved':
      return moveSentence(event);
    case 'job.decided':
      if (event.decision === 'recorder.stop')
        return event.evidence['by'] === 'endAt'
          ? 'it is the time at which it was to end'
          : 'the requested duration is over';
      if (event.decision === 'recorder.recovered')
        return `records again, ${(Number(event.evidence['downMs']) / 1_000).toFixed(1)} s after the fall (${event.why})`;
      return `${event.dog}: ${event.decision} (${event.why})${facts(event.evidence)}`;
    case 'segment.lost': {
      const last = event.msn + event.count - 1;
      const track = event.track === 'main' ? '' : `${event.track}: `;
      const which = event.count === 1 ? `segment ${event.msn}` : `segments ${event.msn} to ${last}`;
      return `GAP: ${track}${which} of epoch ${event.epoch} lost (${event.cause}): ${event.detail}`;
    }
    case 'epoch.opened':
      return event.why === 'first' ? undefined : `epoch ${event.epoch} opened (${event.why})`;
    case 'disk.outlook':
      return diskSentence(event);
    case 'segment.stored':
    case 'job.ended':
      return undefined;
  }
}

/** A recorder that runs already is not taken from its work for it. */
const renewal = (changed: readonly string[] = []): string =>
  changed.length > 0 ? `; its next recorder uses the new ${changed.join(', ')}` : '';

function diskSentence({
  level,
  freeBytes,
  leftMs = Number.POSITIVE_INFINITY,
}: Extract<KennelEvent, { type: 'disk.outlook' }>): string {
  const free = bytesText(freeBytes);
  if (level === 'good') return `there is room on the disk again: ${free} free`;
  if (level === 'full')
    return `DISK FULL (${free} free): nothing more can be stored; free some space, then the recording goes on by itself`;
  const minutes = Math.floor(leftMs / 60_000);
  return `DISK ${level.toUpperCase()}: full in about ${minutes} min (${free} free); free some space, nothing recorded is lost`;
}

type Moved = Extract<KennelEvent, { type: 'job.moved' }>;

function moveSentence({ to, cause, evidence, attempt }: Moved): string | undefined {
  switch (to) {
    case 'pending':
      return undefined;
    case 'recording':
      return attempt === 1 ? undefined : `attempt ${attempt}: a recorder is on it again`;
    case 'retrying':
      return `the recorder is gone (${cause})${facts(evidence)}; it is started again`;
    case 'muxing':
      return `the recording is over (${cause}); joins and verifies the segments`;
    case 'uploading':
      return 'brings the file to its place';
    case 'done':
      return undefined;
    case 'failed':
      return `the job failed (${cause})${facts(evidence)}`;
    case 'cancelled':
      return `the job is cancelled (${cause})`;
    case 'rejected':
      return `the job is rejected (${cause})${facts(evidence)}`;
    case 'expired':
      return `the job waited for too long (${cause})${facts(evidence)}`;
  }
}

/** For people: a sentence where there is one; else what is known, without what takes many lines (`kennel why` has all of it). */
const facts = (evidence: Readonly<Record<string, unknown>>): string => {
  const { explanation } = evidence;
  if (typeof explanation === 'string') return `: ${explanation.replace(/\.$/, '')}`;
  const told = Object.entries(evidence)
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value) && value !== '')
    .filter(([, value]) => !String(value).includes('\n'))
    .map(([name, value]) => `${name} ${value}`);
  return told.length > 0 ? `: ${told.join(', ')}` : '';
};

const describe = (source: Readonly<Record<string, unknown>>): string =>
  Object.entries(source)
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
    .map(([name, value]) => `${name} ${value}`)
    .join(', ') || 'a media playlist';

/** The last lines of a run: what there is, and where. */
export function summaryOf(event: Extract<KennelEvent, { type: 'job.ended' }>): string[] {
  const { proof, outcome, state, verdict, files } = event;
  const head = `${outcome ?? state}${verdict ? ` (${verdict})` : ''}`;
  // A job that ended while it waited has none.
  if (proof['advertised'] === undefined) return [head, ...files];
  const { advertised, stored, duplicates, durationMs } = proof as Record<string, number>;
  const lost = Number(advertised) - Number(stored);
  const numbers = `advertised ${advertised} = stored ${stored} + lost ${lost}, duplicates ${duplicates}`;
  const unheard = Array.isArray(proof['unheard']) ? proof['unheard'] : [];
  const missing = unheard.length > 0 ? `, not heard all the time: ${unheard.join(', ')}` : '';
  return [`${head}: ${numbers}, media ${clockText(Number(durationMs))}${missing}`, ...files];
}
