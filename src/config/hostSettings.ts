import { type Config, configSchema, ENVIRONMENT } from './schema.ts';

/** The settings that recorder hosts need for programs: where they are, and what they may do. */
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

export type HostSettings = Pick<Config, (typeof HOST_SETTINGS)[number]>;

/** The environment that tells a recorder host its settings: it gets nothing else of ours, which may hold secrets. */
export const hostEnvironment = (config: HostSettings): Record<string, string> =>
  Object.fromEntries(
    HOST_SETTINGS.flatMap((setting) => {
      const value = config[setting];
      return value === undefined || value === '' ? [] : [[ENVIRONMENT[setting], String(value)]];
    }),
  );

/** What a recorder host was told. Throws (ZodError) for what no supervisor of this version says. */
export function hostSettings(): HostSettings {
  const picked = Object.fromEntries(HOST_SETTINGS.map((setting) => [setting, true] as const));
  const given = HOST_SETTINGS.flatMap((setting) => {
    const value = process.env[ENVIRONMENT[setting]];
    return value === undefined || value === '' ? [] : [[setting, value]];
  });
  // The mask is built from a list of keys that the type above is made of as well.
  return configSchema
    .pick(picked as Record<(typeof HOST_SETTINGS)[number], true>)
    .parse(Object.fromEntries(given));
}
