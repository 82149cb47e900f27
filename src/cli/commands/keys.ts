import { SCOPES, type Scope } from '../../core/access.ts';
import { systemClock } from '../../core/clock.ts';
import { KennelError } from '../../core/errors.ts';
import type { CliContext } from '../context.ts';
import { durationMs } from '../duration.ts';
import { columns } from '../lines/columns.ts';
import { isoMoment } from '../moment.ts';
import { demandServer, type ServerOptions } from '../remote/server.ts';
import { showList } from '../remote/show.ts';

interface KeysOptions extends ServerOptions {
  readonly json?: boolean;
}

export interface NewKeyOptions extends KeysOptions {
  readonly name: string;
  readonly scope: readonly string[];
  readonly tenant?: string;
  readonly expires?: string;
}

/** `kennel keys create`: the key alone goes to standard output, so that it can be written to a file. */
export async function createKey(context: CliContext, options: NewKeyOptions): Promise<number> {
  const { name, tenant, expires } = options;
  const { api } = await demandServer(context, options);
  const made = await api.keys.$post({
    json: {
      name,
      scopes: scopesOf(options.scope),
      ...(tenant !== undefined && { tenantId: tenant }),
      ...(expires !== undefined && { expiresAt: isoMoment(expires, systemClock.now()) }),
    },
  });
  return tellKey(context, options, await made.json());
}

/** `kennel keys list` */
export async function listKeys(
  context: CliContext,
  options: KeysOptions & { readonly tenant?: string },
): Promise<number> {
  const { api } = await demandServer(context, options);
  const { tenant, json } = options;
  const query = tenant === undefined ? {} : { tenantId: tenant };
  const { keys } = await (await api.keys.$get({ query })).json();
  showList(context.terminal, keys, {
    json,
    lines: (all) =>
      columns([
        ['ID', 'TENANT', 'SCOPES', 'NAME', 'STATE', 'LAST USED'],
        ...all.map(({ id, tenantId, scopes, name, expiresAt, revokedAt, lastUsedAt }) => [
          ...[id, tenantId, scopes.join(','), name],
          revokedAt ? `revoked ${revokedAt}` : expiresAt ? `expires ${expiresAt}` : 'good',
          lastUsedAt ?? 'never',
        ]),
      ]),
  });
  return 0;
}

/** `kennel keys revoke ID` */
export async function revokeKey(
  context: CliContext,
  options: KeysOptions & { readonly id: string },
): Promise<number> {
  const { api } = await demandServer(context, options);
  const key = await (await api.keys[':keyId'].$delete({ param: { keyId: options.id } })).json();
  context.terminal.out(
    options.json ? JSON.stringify(key) : `${key.id} (${key.name}) is refused from now on`,
  );
  return 0;
}

/** `kennel keys rotate ID` */
export async function rotateKey(
  context: CliContext,
  options: KeysOptions & { readonly id: string; readonly overlap?: string },
): Promise<number> {
  const { id, overlap } = options;
  const { api } = await demandServer(context, options);
  const json = overlap === undefined ? {} : { overlapSeconds: durationMs(overlap) / 1_000 };
  const made = await api.keys[':keyId'].rotate.$post({ param: { keyId: id }, json });
  return tellKey(context, options, await made.json());
}

function tellKey(
  { terminal }: CliContext,
  { json }: KeysOptions,
  made: { readonly key: { readonly id: string; readonly name: string }; readonly text: string },
): number {
  if (json) terminal.out(JSON.stringify(made));
  else {
    terminal.err(`the key ${made.key.id} (${made.key.name}), which is not shown again:`);
    terminal.out(made.text);
  }
  return 0;
}

function scopesOf(names: readonly string[]): Scope[] {
  const words = names.flatMap((name) => name.split(','));
  const known = SCOPES.filter((scope) => words.includes(scope));
  if (known.length === 0 || words.some((word) => !known.some((scope) => scope === word)))
    throw new KennelError(
      'usage.invalid',
      `--scope takes ${SCOPES.join(', ')}; several with commas, or given several times.`,
    );
  return known;
}
