import { bytesText } from '../bytes.ts';
import type { CliContext } from '../context.ts';
import { columns } from '../lines/columns.ts';
import { demandServer, type ServerOptions } from '../remote/server.ts';

export interface CapacityOptions extends ServerOptions {
  readonly json?: boolean;
}

/** What is counted in bytes, or bytes a second. */
const IN_BYTES: ReadonlySet<string> = new Set([
  'memory',
  'network',
  'disk.bandwidth',
  'disk.space',
]);

/** `kennel capacity`: how much the node carries, and could. */
export async function capacity(context: CliContext, options: CapacityOptions): Promise<number> {
  const { terminal } = context;
  const { api } = await demandServer(context, options);
  const report = await (await api.capacity.$get()).json();
  if (options.json) {
    terminal.out(JSON.stringify(report));
    return 0;
  }
  const amount = (resource: string, value: number) =>
    IN_BYTES.has(resource) ? bytesText(value) : String(Math.round(value * 100) / 100);
  const rows = report.resources.map(({ resource, limit, used, expected }) => [
    resource,
    limit === null ? 'no limit' : amount(resource, limit),
    amount(resource, used),
    amount(resource, expected),
  ]);
  for (const line of columns([['RESOURCE', 'LIMIT', 'USED', 'EXPECTED'], ...rows]))
    terminal.out(line);
  const { more, costKey } = report.typical;
  terminal.out(`${report.running} running; room for ${more} more as usual (${costKey})`);
  return 0;
}
