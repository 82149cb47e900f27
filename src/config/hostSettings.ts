import { type Config, configSchema } from './schema.ts';
import { fromText, SETTINGS } from './settings.ts';

/** The settings that recorder hosts need for programs: where they are, and what they may do. None of them is secret. */
const HOST_SETTINGS = [
  'ffmpeg',
  'ytDlp',
  'streamlink',
  'allow',
  'sandbox',
  'toolMemoryMiB',
  'searchPath',
  'certificatesFile',
] as const satisfies (keyof Config)[];

type HostSetting = (typeof HOST_SETTINGS)[number];
export type HostSettings = Pick<Config, HostSetting>;

/** Each of them with its environment variable. */
const VARIABLES = HOST_SETTINGS.flatMap((name) => {
  const setting = SETTINGS.find(({ path }) => path.join() === name);
  const variable = setting?.names[0];
  return setting === undefined || variable === undefined ? [] : [{ name, setting, variable }];
});

/** The environment that tells a recorder host its settings: it gets nothing else of ours, which may hold secrets. */
export const hostEnvironment = (config: HostSettings): Record<string, string> =>
  Object.fromEntries(
    VARIABLES.flatMap(({ name, variable }) => {
      const value = config[name];
      return value === undefined || value === '' ? [] : [[variable, String(value)]];
    }),
  );

/** What a recorder host was told. Throws (ZodError) for what no supervisor of this version says. */
export function hostSettings(): HostSettings {
  const picked = Object.fromEntries(HOST_SETTINGS.map((name) => [name, true] as const));
  const given = VARIABLES.flatMap(({ name, setting, variable }) => {
    const text = process.env[variable];
    return text === undefined || text === '' ? [] : [[name, fromText(setting, text)]];
  });
  // The mask is built from a list of keys that the type above is made of as well.
  return configSchema.pick(picked as Record<HostSetting, true>).parse(Object.fromEntries(given));
}
