import { z } from 'zod';
import type { Job } from '../../machines/ports.ts';
import { withoutSecrets } from '../core/withoutSecrets.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { plainText } from './fileTags.ts';

const text = z
  .string()
  .transform((value) => plainText(withoutSecrets(value)))
  .refine((value) => value !== '');

/** What recorders write into `started.source`; a field of any other form says nothing. */
const toldSchema = z.object({
  title: text.optional().catch(undefined),
  uploader: text.optional().catch(undefined),
  page: text.optional().catch(undefined),
  resolver: text.optional().catch(undefined),
  recorder: text.optional().catch(undefined),
  version: text.optional().catch(undefined),
});

/** What is known of a recording besides its media. */
export const recordingAboutSchema = z.object({
  title: z.string().exactOptional(),
  uploader: z.string().exactOptional(),
  /** The page that it was found on, without credentials and query. */
  page: z.string().exactOptional(),
  /** The program that told what is behind the page. */
  resolver: z.string().exactOptional(),
  /** The program that began to record, and its version; absent for the native engine. */
  recorder: z.object({ name: z.string(), version: z.string().exactOptional() }).exactOptional(),
});
export type RecordingAbout = z.infer<typeof recordingAboutSchema>;

/** As the recorder told it when it began; nothing of it is to be trusted. */
export function recordingAbout(
  { source }: Pick<Ledger, 'source'>,
  { spec }: Pick<Job, 'spec'>,
): RecordingAbout {
  const told = toldSchema.safeParse(source ?? {}).data ?? {};
  const { title, uploader, resolver, recorder, version } = told;
  const page =
    told.page ?? (resolver === undefined ? undefined : plainText(withoutSecrets(spec.url)));
  return {
    ...(title !== undefined && { title }),
    ...(uploader !== undefined && { uploader }),
    ...(page !== undefined && { page }),
    ...(resolver !== undefined && { resolver }),
    ...(recorder !== undefined && {
      recorder: { name: recorder, ...(version !== undefined && { version }) },
    }),
  };
}
