import type { JobSpec } from '../../machines/vocabulary.ts';

/**
 * The same source, wishes and destination: then it is the same recording. Other ways to the same stream (fallbacks, a proxy,
 * headers) and other patience make no other recording of it.
 */
export const asksTheSame = (a: JobSpec, b: JobSpec): boolean =>
  a.url === b.url &&
  a.output === b.output &&
  a.durationMs === b.durationMs &&
  a.endAt === b.endAt &&
  a.quality.join() === b.quality.join() &&
  a.recorder === b.recorder &&
  a.format === b.format &&
  (a.audioOnly ?? false) === (b.audioOnly ?? false) &&
  (a.audio ?? ['default']).join() === (b.audio ?? ['default']).join() &&
  (a.subtitles ?? ['all']).join() === (b.subtitles ?? ['all']).join();
