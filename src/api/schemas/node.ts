import { z } from 'zod';
import { JOB_STATES } from '../../../machines/vocabulary.ts';
import { type CapacityReport, RESOURCES } from '../../capacity/capacity.ts';
import type { ConfigView } from '../../config/configView.ts';
import type { WatchdogReport } from '../../jobs/operations.ts';
import { Instant, isoOf, isoWhen } from './instant.ts';
import { JobId } from './job.ts';

const LAYERS = [
  'recorder',
  'durationDoggy',
  'tempFileDoggy',
  'heartbeatDoggy',
  'bigDog',
  'bigDogDog',
] as const;

export const WatchdogList = z
  .object({
    watchdogs: z.array(
      z
        .object({
          jobId: JobId,
          state: z.enum(JOB_STATES),
          attempt: z.number().int(),
          layers: z.array(
            z.object({
              layer: z.enum(LAYERS),
              isRunning: z.boolean(),
              lastProgressAt: Instant.optional(),
              misses: z.number().int().meta({ description: 'Looks without progress since then' }),
              recoveries: z.number().int(),
              lastRecoverySeconds: z.number().optional().meta({
                description: 'From the fall until it recorded again',
              }),
              worstRecoverySeconds: z.number().optional(),
            }),
          ),
        })
        .meta({ id: 'Watchdog' }),
    ),
  })
  .meta({ id: 'WatchdogList' });

export const watchdogShown = ({ jobId, state, attempt, layers }: WatchdogReport) => ({
  jobId,
  state,
  attempt,
  layers: layers.map(
    ({
      layer,
      isRunning,
      lastProgressAt,
      misses,
      recoveries,
      lastRecoveryMs,
      worstRecoveryMs,
    }) => ({
      layer,
      isRunning,
      ...isoWhen('lastProgressAt', lastProgressAt),
      misses,
      recoveries,
      ...(lastRecoveryMs !== undefined && { lastRecoverySeconds: lastRecoveryMs / 1_000 }),
      ...(worstRecoveryMs !== undefined && { worstRecoverySeconds: worstRecoveryMs / 1_000 }),
    }),
  ),
});

const Cost = z
  .object({
    cpu: z.number().meta({ description: 'Cores' }),
    memoryBytes: z.number(),
    networkBytesPerSecond: z.number(),
    diskBytesPerSecond: z.number(),
    descriptors: z.number(),
  })
  .meta({ id: 'Cost' });

export const CapacityShown = z
  .object({
    at: Instant,
    running: z.number().int(),
    resources: z.array(
      z
        .object({
          resource: z.enum(RESOURCES),
          limit: z.number().nullable().meta({ description: 'Null: nothing limits it' }),
          used: z.number().meta({ description: 'Measured' }),
          expected: z.number().meta({ description: 'Of all admitted jobs' }),
        })
        .meta({ id: 'Resource' }),
    ),
    pressure: z
      .object({ cpu: z.number(), memory: z.number(), io: z.number() })
      .optional()
      .meta({ description: 'Percent of the last 10 s in which something waited for it' }),
    typical: z
      .object({ costKey: z.string(), cost: Cost, more: z.number().int() })
      .meta({ description: 'One more job of the most usual kind, and how many more would fit' }),
  })
  .meta({ id: 'Capacity' });

export const capacityShown = (report: CapacityReport): z.infer<typeof CapacityShown> => ({
  at: isoOf(report.at),
  running: report.running,
  resources: report.resources.map(({ limit, ...rest }) => ({
    ...rest,
    limit: Number.isFinite(limit) ? limit : null,
  })),
  ...(report.pressure && { pressure: { ...report.pressure } }),
  typical: { ...report.typical, cost: { ...report.typical.cost } },
});

export const ConfigurationShown = z
  .object({
    settings: z.array(
      z
        .object({
          key: z.string(),
          value: z.union([z.string(), z.number(), z.array(z.string())]).nullable(),
          source: z.string().meta({ description: '`default`, `file`, `environment`, `flag`' }),
          place: z.string().optional().meta({ description: '`kennel.toml:12`, `KENNEL_API_PORT`' }),
          reloadable: z.boolean(),
          secret: z.boolean(),
          description: z.string(),
        })
        .meta({ id: 'Setting' }),
    ),
  })
  .meta({ id: 'Configuration' });

export const configurationShown = (
  settings: readonly ConfigView[],
): z.infer<typeof ConfigurationShown> => ({
  settings: settings.map(({ value, place, ...rest }) => ({
    ...rest,
    value: typeof value === 'object' && value !== null ? [...value] : value,
    ...(place !== undefined && { place }),
  })),
});
