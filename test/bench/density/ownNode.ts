import { copyFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A copy of this Node for one subject alone. Processes that run the same file share its pages, and PSS would divide them
 * among the subject, other subjects, the origin and this bench, none of which a user runs beside it.
 */
export function ownNode(directory: string): string {
  const copy = join(directory, 'node');
  copyFileSync(realpathSync(process.execPath), copy);
  return copy;
}
