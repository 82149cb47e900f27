import { type Environment, fromEnvironment } from './environment.ts';
import { invalidConfig } from './problem.ts';

/** What the environment says of a service elsewhere. */
export interface ServerSettings {
  /** `KENNEL_SERVER` */
  readonly server?: string;
  /** `KENNEL_API_KEY`, or what is in `KENNEL_API_KEY_FILE` */
  readonly key?: string;
}

/** @throws KennelError `config.invalid` for a file that cannot be read */
export function serverSettings(env: Environment): ServerSettings {
  const server = env['KENNEL_SERVER'];
  const names = ['KENNEL_API_KEY'];
  const { found, problems } = fromEnvironment({ names, kind: 'text', secret: true }, env);
  if (problems.length > 0) throw invalidConfig([...problems]);
  return { ...(server && { server }), ...(found && { key: found.text }) };
}
