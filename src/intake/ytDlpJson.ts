import { z } from 'zod';

/** Sites write what they like: a field that is not what it should be is as if it were not there. */
const text = z.string().nullish().catch(undefined);
const number = z.number().finite().nullish().catch(undefined);
const flag = z.boolean().nullish().catch(undefined);

const formatSchema = z.looseObject({
  format_id: text,
  url: text,
  manifest_url: text,
  protocol: text,
  ext: text,
  width: number,
  height: number,
  fps: number,
  tbr: number,
  vcodec: text,
  acodec: text,
  language: text,
  play_path: text,
  has_drm: z.union([z.boolean(), z.string()]).nullish().catch(undefined),
  http_headers: z.record(z.string(), z.string()).nullish().catch(undefined),
});
export type RawFormat = z.infer<typeof formatSchema>;

/** One broadcast. */
export const infoSchema = formatSchema.extend({
  _type: text,
  title: text,
  uploader: text,
  channel: text,
  is_live: flag,
  live_status: text,
  duration: number,
  formats: z.array(formatSchema).nullish().catch(undefined),
  requested_formats: z.array(formatSchema).nullish().catch(undefined),
  playlist_count: number,
  entries: z.array(z.unknown()).nullish().catch(undefined),
});
export type Info = z.infer<typeof infoSchema>;
