import { KennelError } from '../../core/errors.ts';
import type { CliContext } from '../context.ts';
import { columns } from '../lines/columns.ts';
import { wholeNumber } from '../numbers.ts';
import { demandServer, type ServerOptions } from '../remote/server.ts';
import { showList } from '../remote/show.ts';

interface TenantsOptions extends ServerOptions {
  readonly json?: boolean;
}

export interface TenantOptions extends TenantsOptions {
  readonly id: string;
  readonly name?: string;
  readonly weight?: string;
  readonly runningMax?: string;
  readonly waitingMax?: string;
}

/** Of one tenant's jobs, as the API has it. */
const JOBS_MAX = 1_000_000;

/** `kennel tenants list` */
export async function listTenants(context: CliContext, options: TenantsOptions): Promise<number> {
  const { api } = await demandServer(context, options);
  const { tenants } = await (await api.tenants.$get()).json();
  showList(context.terminal, tenants, {
    json: options.json,
    lines: (all) =>
      columns([
        ['ID', 'NAME', 'WEIGHT', 'RUNNING AT MOST', 'WAITING AT MOST'],
        ...all.map(({ id, name, weight, runningMax, waitingMax }) => [
          ...[id, name, String(weight)],
          String(runningMax ?? 'as many as fit'),
          String(waitingMax ?? 'any number'),
        ]),
      ]),
  });
  return 0;
}

/** `kennel tenants set ID`: makes a tenant, or changes what is given of one. */
export async function setTenant(context: CliContext, options: TenantOptions): Promise<number> {
  const { id, name, weight, runningMax, waitingMax } = options;
  const { api } = await demandServer(context, options);
  const { tenants } = await (await api.tenants.$get()).json();
  const {
    id: _id,
    createdAt: _since,
    ...before
  } = tenants.find((one) => one.id === id) ?? {
    ...{ id, createdAt: '', name: id },
  };
  const json = {
    ...before,
    ...(name !== undefined && { name }),
    ...(weight !== undefined && { weight: weightOf(weight) }),
    ...jobsMax('runningMax', '--running-max', runningMax),
    ...jobsMax('waitingMax', '--waiting-max', waitingMax),
  };
  const answer = await api.tenants[':tenantId'].$put({ param: { tenantId: id }, json });
  const tenant = await answer.json();
  context.terminal.out(
    options.json
      ? JSON.stringify(tenant)
      : `${tenant.id} (${tenant.name}): weight ${tenant.weight}`,
  );
  return 0;
}

/** `none` takes the limit away. */
function jobsMax(member: 'runningMax' | 'waitingMax', option: string, text: string | undefined) {
  if (text === undefined) return {};
  return { [member]: text === 'none' ? undefined : wholeNumber(option, text, [0, JOBS_MAX]) };
}

function weightOf(text: string): number {
  const weight = Number(text);
  if (text.trim() !== '' && weight > 0) return weight;
  throw new KennelError('usage.invalid', `--weight takes a number above zero, not ${text}.`);
}
