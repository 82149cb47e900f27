import type { KennelClient } from '../../client/kennelClient.ts';
import { KennelError } from '../../core/errors.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** As many as the API gives at once. */
const PAGE = 200;
/** Among so many of the newest jobs a part of an id is looked for. */
const LOOKED_AT_MAX = 2_000;

/**
 * The whole id of the job whose id begins or ends so.
 *
 * @throws KennelError `job.notFound`, `job.conflict` when there are several
 */
export async function findJob(
  { api, pages }: Pick<KennelClient, 'api' | 'pages'>,
  part: string,
): Promise<string> {
  if (UUID.test(part)) return part.toLowerCase();
  const wanted = part.toLowerCase();
  const found: string[] = [];
  let looked = 0;
  for await (const { jobs } of pages((cursor) =>
    api.jobs.$get({ query: { limit: String(PAGE), ...cursor } }),
  )) {
    found.push(
      ...jobs.map(({ id }) => id).filter((id) => id.startsWith(wanted) || id.endsWith(wanted)),
    );
    looked += jobs.length;
    if (found.length > 1 || looked >= LOOKED_AT_MAX) break;
  }
  const [id, other] = found;
  if (id === undefined)
    throw new KennelError(
      'job.notFound',
      `No job among the ${LOOKED_AT_MAX} newest begins or ends with ${part}; "kennel jobs" lists them.`,
    );
  if (other !== undefined)
    throw new KennelError(
      'job.conflict',
      `Several jobs begin or end with ${part}; give more of it.`,
    );
  return id;
}
