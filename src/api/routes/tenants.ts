import { OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { TenantView } from '../../jobs/accessKeys.ts';
import type { ApiEnv } from '../apiEnv.ts';
import type { ApiParts } from '../apiParts.ts';
import { jsonAnswer, jsonBody, operation } from '../operation.ts';
import { Tenant, TenantId, TenantList, TenantTerms, tenantShown } from '../schemas/tenant.ts';

const list = operation('GET /tenants', {
  summary: 'List tenants',
  answers: { 200: jsonAnswer(TenantList, 'All tenants') },
});

const put = operation('PUT /tenants/{tenantId}', {
  summary: 'Make or change a tenant',
  request: { params: z.object({ tenantId: TenantId }), body: jsonBody(TenantTerms) },
  answers: { 200: jsonAnswer(Tenant, 'The tenant as it is now') },
});

export const tenantRoutes = ({ accessKeys }: Pick<ApiParts, 'accessKeys'>) =>
  new OpenAPIHono<ApiEnv>()
    .openapi(list, async (c) =>
      c.json({ tenants: (await accessKeys.tenants()).map(tenantShown) }, 200),
    )
    .openapi(put, async (c) => {
      const id = c.req.valid('param').tenantId;
      const tenant = tenantOf(id, c.req.valid('json'));
      return c.json(tenantShown(await accessKeys.putTenant(tenant)), 200);
    });

const tenantOf = (
  id: string,
  { name, weight, runningMax, waitingMax }: z.infer<typeof TenantTerms>,
): Omit<TenantView, 'createdAt'> => ({
  id,
  name,
  weight,
  ...(runningMax !== undefined && { runningMax }),
  ...(waitingMax !== undefined && { waitingMax }),
});
