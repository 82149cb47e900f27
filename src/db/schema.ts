/** All tables, by what they are about. `npx drizzle-kit generate` makes migrations of the differences. */
export * from './tables/costs.ts';
export * from './tables/events.ts';
export * from './tables/idempotency.ts';
export * from './tables/jobs.ts';
export * from './tables/recordings.ts';
export * from './tables/schedules.ts';
export * from './tables/tenants.ts';
export * from './tables/webhooks.ts';
