import { API_LIMITS } from '../../../src/api/apiLimits.ts';
import type { ApiParts } from '../../../src/api/apiParts.ts';
import { apiApp } from '../../../src/api/app.ts';
import type { Scope } from '../../../src/core/access.ts';
import { type FOREIGN, memoryParts, OWN } from './memoryParts.ts';

/**
 * What stands in a path, by the name of the parameter, for things that are there. A noun that brings a new parameter gives
 * the id of a thing of `OWN` here (and has it in `memoryParts`), so that the matrix and the fuzzer find it.
 */
export type KnownIds = Readonly<Record<string, string>>;

/** An API with things of two tenants, that asks as fast as it likes. */
export async function tenantWorld(given: Partial<ApiParts> = {}) {
  const limits = {
    ...API_LIMITS,
    requestsPerKeyAndMinute: 1e9,
    requestsPerAddressAndMinute: 1e9,
  };
  const made = memoryParts({ limits, ...given });
  const { accessKeys, parts, lines } = made;
  const { key } = await accessKeys.create({ tenantId: OWN, name: 'known', scopes: ['jobs.read'] });
  const ids: KnownIds = {
    ...made.ids,
    keyId: key.id,
    tenantId: OWN,
    file: 'start.js',
  };
  const keyOf = (tenantId: typeof OWN | typeof FOREIGN, scopes: readonly Scope[]) =>
    accessKeys.keyFor(tenantId, scopes);
  return { app: apiApp(parts), ids, keyOf, lines };
}

/** A path with its parameters filled in. */
export const filledPath = (path: string, ids: KnownIds): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const id = ids[name];
    if (id === undefined)
      throw new Error(`tenantWorld.ts does not know what {${name}} of ${path} stands for`);
    return encodeURIComponent(id);
  });
