import type { JobSpec } from '../../machines/vocabulary.ts';
import { mayDo, type Principal } from '../core/access.ts';
import { type JobRequest, jobSpec } from './jobRequest.ts';
import { outputFor } from './outputFor.ts';

/**
 * What somebody asks a service to record: its file goes below their tenant's directory, and private addresses are reached for
 * admins alone.
 *
 * @throws KennelError what `jobSpec` and `outputFor` throw
 */
export function submittedSpec(
  who: Principal,
  request: JobRequest,
  outputDirectory: string,
): JobSpec {
  const output = outputFor(outputDirectory, who.tenantId, request.output);
  return jobSpec({ ...request, output }, { mayReachPrivate: mayDo(who, 'admin') });
}
