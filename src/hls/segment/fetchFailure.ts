import { isKennelError } from '../../core/errors.ts';
import type { FetchFailure } from '../planner/queue.ts';

/**
 * A failed download in the ledger's words. `mirrors`: how many other addresses were tried besides, whose failures are not told.
 * What is no KennelError is a bug, and thrown on.
 */
export function fetchFailure(error: unknown, mirrors = 0): FetchFailure {
  if (!isKennelError(error)) throw error;
  const { code, details, message: detail } = error;
  if (code === 'disk.full' || code === 'disk.failed') return { cause: 'disk', detail };
  if (code === 'timeout.exceeded') return { cause: 'timeout', detail };
  // An address that the rules refuse stays refused: as good as what is no media.
  if (code === 'address.refused') return { cause: 'invalid', detail, isFinal: mirrors === 0 };
  if (code === 'segment.invalid' || code === 'limit.exceeded') return { cause: 'invalid', detail };
  const { status, truncated } = details;
  if (typeof status === 'number') return { cause: `http.${status}`, detail };
  return { cause: truncated === true ? 'truncated' : 'network', detail };
}
