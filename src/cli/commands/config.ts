import { type ConfigView, configView } from '../../config/configView.ts';
import { readConfig } from '../../config/load.ts';
import type { CliContext } from '../context.ts';
import { columns } from '../lines/columns.ts';
import { findServer, type ServerOptions } from '../remote/server.ts';
import { showList } from '../remote/show.ts';

export interface ConfigOptions extends ServerOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** `kennel config show`: every setting, as it holds for a service or here, with who said so. */
export async function showConfig(context: CliContext, options: ConfigOptions): Promise<number> {
  const server = await findServer(context, options);
  const { config, dataDir } = options;
  const flags = {
    ...(config !== undefined && { config }),
    ...(dataDir !== undefined && { dataDir }),
  };
  const settings: readonly Shown[] = server
    ? (await (await server.api.config.$get()).json()).settings
    : configView(readConfig({ env: context.env, flags }));
  showList(context.terminal, settings, { json: options.json, lines: settingLines });
  return 0;
}

type Shown = Pick<ConfigView, 'key' | 'value'> & {
  readonly source: string;
  readonly place?: string | undefined;
};

const settingLines = (settings: readonly Shown[]): readonly string[] =>
  columns(
    settings.map(({ key, value, source, place }) => [
      key,
      value === null ? '(not set)' : JSON.stringify(value),
      place ?? source,
    ]),
  );
