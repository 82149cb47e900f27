import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { API_BASE } from '../../../src/api/app.ts';
import { type Access, ROUTE_ACCESS } from '../../../src/api/routeAccess.ts';
import { SCOPES, type Scope } from '../../../src/core/access.ts';
import {
  apiDocument,
  bodySchemaOf,
  operationsOf,
  type PlacedOperation,
} from '../../support/api/apiDocument.ts';
import { fromSchema } from '../../support/api/fromSchema.ts';
import { FOREIGN, OWN } from '../../support/api/memoryParts.ts';
import { filledPath, tenantWorld } from '../../support/api/tenantWorld.ts';

/**
 * Every route of the table × nobody, every scope alone, and all scopes of another tenant: exactly what the table grants. Routes come from the
 * table and the OpenAPI document, so that whatever is added is tried as well.
 */
const document = apiDocument();
const documented = new Map(
  operationsOf(document).map((one) => [`${one.method} ${one.path.slice(API_BASE.length)}`, one]),
);
const table = Object.entries(ROUTE_ACCESS).map(([key, access]) => ({ key, access }));
const WITHOUT_ADMIN = SCOPES.filter((scope) => scope !== 'admin');
/** Bodies to try until one is taken: schemas cannot say everything. */
const BODIES_MAX = 20;

test('every operation of the document stands in the table, and says there what it asks', () => {
  const inDocument = [...documented].map(([key, one]) => [key, one['x-access']]);
  expect(inDocument).toEqual(inDocument.map(([key = '']) => [key, ROUTE_ACCESS[key as never]]));
});

type World = Awaited<ReturnType<typeof tenantWorld>>;

/** Asks as well as the document knows how, until the request itself is no longer what is wrong. */
async function ask(world: World, key: string, authorization: string | undefined) {
  const [method = '', path = ''] = key.split(' ');
  const url = `${API_BASE}${filledPath(path, world.ids)}`;
  let answer: Response | undefined;
  for (const body of bodiesOf(documented.get(key))) {
    answer = await world.app.request(url, {
      method,
      headers: {
        ...(authorization !== undefined && { authorization: `Bearer ${authorization}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    // A body may also name what is not there.
    const isUnlucky = answer.status === 400 || (answer.status === 404 && !path.includes('{'));
    if (!isUnlucky) break;
  }
  if (!answer) throw new Error(`nothing was asked of ${key}`);
  return { status: answer.status, text: await textOf(answer) };
}

const bodies = new Map<PlacedOperation, readonly unknown[]>();

function bodiesOf(operation: PlacedOperation | undefined): readonly unknown[] {
  const schema = operation && bodySchemaOf(operation);
  if (!schema) return [undefined];
  const known =
    bodies.get(operation) ??
    fc.sample(fromSchema(schema, { document }), { seed: 1, numRuns: BODIES_MAX });
  bodies.set(operation, known);
  return known;
}

/** What a stream of events would go on to tell is not waited for. */
async function textOf(answer: Response): Promise<string> {
  if (!answer.headers.get('content-type')?.startsWith('text/event-stream'))
    return await answer.text();
  await answer.body?.cancel();
  return '';
}

const grants = (access: Access, scope: Scope): boolean =>
  access === 'open' || access === 'anyKey' || access === scope || scope === 'admin';

describe.each(table)('$key, for $access', ({ key, access }) => {
  test('is for whom the table grants it, and nobody else', async () => {
    const world = await tenantWorld();
    const nobody = await ask(world, key, undefined);
    if (access === 'open') expect(nobody.status).toBeLessThan(400);
    else
      expect(nobody).toMatchObject({
        status: 401,
        text: expect.stringContaining('access.missing'),
      });
    const [denied, granted] = [
      SCOPES.filter((scope) => !grants(access, scope)),
      SCOPES.filter((scope) => grants(access, scope)),
    ];
    for (const scope of denied) {
      const answer = await ask(world, key, await world.keyOf(OWN, [scope]));
      expect({ scope, ...answer }).toMatchObject({
        scope,
        status: 403,
        text: expect.stringContaining('access.forbidden'),
      });
    }
    for (const scope of granted) {
      const { status, text } = await ask(world, key, await world.keyOf(OWN, [scope]));
      const why = `${scope}: ${status} ${text}`;
      expect([401, 403], why).not.toContain(status);
      if (documented.has(key)) expect(status, why).toBeLessThan(500);
    }
  });

  test('shows nothing of one tenant to another', async () => {
    const world = await tenantWorld();
    const stranger = await ask(world, key, await world.keyOf(FOREIGN, WITHOUT_ADMIN));
    if (access === 'open') return;
    if (access === 'admin') {
      expect(stranger.status).toBe(403);
    } else if (/\{\w+\}/.test(key)) {
      expect(stranger).toMatchObject({ status: 404 });
    } else {
      expect(stranger.status).toBeLessThan(500);
      for (const id of Object.values(world.ids).filter((one) => one.length > 20))
        expect(stranger.text).not.toContain(id);
    }
  });

  test('shows everything to an admin, whose tenant it ever is', async () => {
    const world = await tenantWorld();
    const admin = await ask(world, key, await world.keyOf(FOREIGN, ['admin']));
    if (documented.has(key)) expect([401, 403, 404, 500], admin.text).not.toContain(admin.status);
  });
});
