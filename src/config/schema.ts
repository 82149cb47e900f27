import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { LOG_LEVELS } from '../core/log.ts';
import {
  apiSchema,
  capacitySchema,
  clipperSchema,
  drainSchema,
  queueSchema,
  webhooksSchema,
} from './serviceSchema.ts';
import { secretText, setting, wholeNumber } from './setting.ts';

const HOSTS_WERE_TOLD = 'recorder hosts are told when they start';

/** Every setting: what it is, where it comes from, and what holds when nobody says anything. */
export const configSchema = z.strictObject({
  dataDir: setting(z.string().min(1), {
    description: 'Directory of everything Kennel keeps: recordings, journals, database, logs.',
    fixedBecause: 'what runs is kept there',
    otherwise: '`$XDG_DATA_HOME/kennel` or `~/.local/share/kennel`',
  }),
  outputDir: setting(z.string().min(1).optional(), {
    description: 'Directory that recordings go to which are submitted over the API.',
    fixedBecause: 'jobs know it already',
    otherwise: '`output` in the data directory',
  }),
  databaseUrl: setting(
    secretText()
      .refine((secret) => isPostgresUrl(secret.reveal()), 'must be a postgres:// URL')
      .optional(),
    {
      description: 'PostgreSQL 15 or newer, as a URL: `postgres://user:password@host/database`.',
      secret: true,
      env: ['DATABASE_URL', 'KENNEL_DATABASE_URL'],
      fixedBecause: 'jobs stand in the database that is open',
      otherwise: 'an embedded database in the data directory',
    },
  ),
  hosts: setting(wholeNumber(1, 256).default(availableParallelism()), {
    description: 'Recorder hosts (processes that carry the streams).',
    fixedBecause: 'the hosts run',
    otherwise: 'one for each core',
  }),
  hostMemoryMiB: setting(wholeNumber(128).default(1024), {
    description: 'Resident memory above which a recorder host is replaced, in MiB.',
    fixedBecause: 'the hosts run',
  }),
  logLevel: setting(z.enum(LOG_LEVELS).default('info'), {
    description: 'Least important level that is logged.',
    reloadable: true,
  }),
  ffmpeg: setting(z.string().min(1).optional(), {
    description: 'Path of ffmpeg; without any, the embedded muxer works.',
    fixedBecause: HOSTS_WERE_TOLD,
    otherwise: 'found on `PATH`',
  }),
  certificatesFile: setting(z.string().min(1).optional(), {
    description: 'PEM file of authorities to trust besides those that Node knows.',
    env: ['NODE_EXTRA_CA_CERTS'],
    fixedBecause: 'Node reads it when it starts',
    onlyEnvironment: true,
    otherwise: 'none',
  }),
  ytDlp: setting(z.string().min(1).optional(), {
    description: 'Path of yt-dlp.',
    env: ['KENNEL_YTDLP'],
    fixedBecause: HOSTS_WERE_TOLD,
    otherwise: 'found on `PATH`',
  }),
  streamlink: setting(z.string().min(1).optional(), {
    description: 'Path of streamlink.',
    fixedBecause: HOSTS_WERE_TOLD,
    otherwise: 'found on `PATH`',
  }),
  allow: setting(z.string().default(''), {
    description:
      'What recorders may reach although it is not public: CIDR, IP addresses or host names, each with :port or without, separated by commas.',
    fixedBecause: HOSTS_WERE_TOLD,
    otherwise: 'nothing',
  }),
  sandbox: setting(z.enum(['auto', 'required', 'off']).default('auto'), {
    description:
      'Cage around programs: the best that this machine can (`auto`), nothing runs without a full one (`required`), or none (`off`).',
    fixedBecause: HOSTS_WERE_TOLD,
  }),
  toolMemoryMiB: setting(wholeNumber(64).default(1024), {
    description: 'Resident memory of one program and what it starts, in MiB; above it is ended.',
    fixedBecause: HOSTS_WERE_TOLD,
  }),
  searchPath: setting(z.string().default(''), {
    description: 'Where programs are looked for.',
    env: ['PATH'],
    fixedBecause: HOSTS_WERE_TOLD,
    onlyEnvironment: true,
    otherwise: 'nowhere',
  }),
  api: apiSchema.prefault({}),
  capacity: capacitySchema.prefault({}),
  queue: queueSchema.prefault({}),
  webhooks: webhooksSchema.prefault({}),
  clipper: clipperSchema.prefault({}),
  drain: drainSchema.prefault({}),
});

/** The settings that hold. Paths are absolute. */
export interface Config extends Readonly<z.infer<typeof configSchema>> {
  readonly outputDir: string;
}

const isPostgresUrl = (text: string): boolean =>
  URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol);
