import { z } from 'zod';
import { Secret } from '../core/secret.ts';

/** What a setting says of itself besides its values. */
export interface SettingMeta {
  readonly description: string;
  /** A change of the file takes effect without a restart. The others say why they need one. */
  readonly reloadable?: true;
  readonly fixedBecause?: string;
  /** Never shown; may be read from the file that its variable with `_FILE` behind names. */
  readonly secret?: true;
  /** Its environment variables, the first that is set counts. Default: `KENNEL_` and its key. */
  readonly env?: readonly string[];
  /** It describes the process, not the service: no file sets it. */
  readonly onlyEnvironment?: true;
  /** What holds when nobody says anything, in words, where that is no constant. */
  readonly otherwise?: string;
}

/** Gives a schema what is known of its setting. */
export const setting = <Schema extends z.ZodType>(schema: Schema, meta: SettingMeta): Schema =>
  schema.meta({ ...meta });

/** A text that is wrapped as soon as it is read. */
export const secretText = () =>
  z
    .string()
    .min(1)
    .transform((text) => new Secret(text));

export const wholeNumber = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  z.number().int().min(least).max(most);
