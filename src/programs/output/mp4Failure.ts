import type { KennelError } from '../../core/errors.ts';
import { invalid } from '../../recording/files/container.ts';

/** `segment.invalid`: MP4 whose boxes do not say what they must. `reason` is a clause about it. */
export const broken = (reason: string): KennelError => invalid(reason, { container: 'fmp4' });

/** `segment.invalid`: MP4 that can be read only once it is whole. */
export const notFragmented = (): KennelError =>
  invalid('it is an MP4 file that is not fragmented', { container: 'fmp4', looksLike: 'mp4' });
