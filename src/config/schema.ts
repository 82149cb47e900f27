import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { LOG_LEVELS } from '../core/log.ts';

/** Every setting: what it is, where it comes from, and what holds when nobody says anything. */
export const configSchema = z.strictObject({
  dataDir: z
    .string()
    .min(1)
    .describe('Directory of everything Kennel keeps: recordings, journals, database, logs.'),
  databaseUrl: z
    .url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' })
    .optional()
    .describe(
      'PostgreSQL 15 or newer. Without it an embedded database lives in the data directory.',
    ),
  hosts: z.coerce
    .number()
    .int()
    .min(1)
    .max(256)
    .default(availableParallelism())
    .describe('Recorder hosts (processes that carry the streams). Default: one per core.'),
  hostMemoryMiB: z.coerce
    .number()
    .int()
    .min(128)
    .default(1024)
    .describe('Resident memory above which a recorder host is replaced, in MiB.'),
  logLevel: z.enum(LOG_LEVELS).default('info').describe('Least important level that is logged.'),
  ffmpeg: z
    .string()
    .min(1)
    .optional()
    .describe('Path of ffmpeg. Default: found on PATH; without it the embedded muxer works.'),
  certificatesFile: z
    .string()
    .min(1)
    .optional()
    .describe(
      'PEM file of authorities to trust besides those that Node knows, e.g. a private one.',
    ),
  ytDlp: z.string().min(1).optional().describe('Path of yt-dlp. Default: found on PATH.'),
  streamlink: z.string().min(1).optional().describe('Path of streamlink. Default: found on PATH.'),
  allow: z
    .string()
    .default('')
    .describe(
      'What recorders may reach although it is not public: CIDR, IP addresses or host names, each with :port or without, separated by commas.',
    ),
  sandbox: z
    .enum(['auto', 'required', 'off'])
    .default('auto')
    .describe(
      'Cage around programs: the best that this machine can (auto), nothing runs without a full one (required), or none.',
    ),
  toolMemoryMiB: z.coerce
    .number()
    .int()
    .min(64)
    .default(1024)
    .describe('Resident memory of one program and what it starts, in MiB; above it is ended.'),
  searchPath: z.string().default('').describe('Where programs are looked for.'),
});

export type Config = z.infer<typeof configSchema>;
export type Setting = keyof Config;

/** The environment variable of each setting. */
export const ENVIRONMENT: Readonly<Record<Setting, string>> = {
  dataDir: 'KENNEL_DATA_DIR',
  databaseUrl: 'DATABASE_URL',
  hosts: 'KENNEL_HOSTS',
  hostMemoryMiB: 'KENNEL_HOST_MEMORY_MIB',
  logLevel: 'KENNEL_LOG_LEVEL',
  ffmpeg: 'KENNEL_FFMPEG',
  certificatesFile: 'NODE_EXTRA_CA_CERTS',
  ytDlp: 'KENNEL_YTDLP',
  streamlink: 'KENNEL_STREAMLINK',
  allow: 'KENNEL_ALLOW',
  sandbox: 'KENNEL_SANDBOX',
  toolMemoryMiB: 'KENNEL_TOOL_MEMORY_MIB',
  searchPath: 'PATH',
};
