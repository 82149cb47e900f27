import { createRequire } from 'node:module';

/**
 * The one door to Drizzle. It is loaded as CommonJS on purpose: as ES modules, Node reads Drizzle's 179 kB package.json
 * again for each of its hundred files, which costs half a second and 200 MB at every start; so it costs 100 ms and 25 MB
 * (drizzle-orm 0.45.4, Node 26.10). The types are the same.
 */
const load = createRequire(import.meta.url);

const core: typeof import('drizzle-orm') = load('drizzle-orm');
export const { and, asc, desc, eq, gt, gte, inArray, isNull, like, lt, lte, notInArray, or, sql } =
  core;

const postgres: typeof import('drizzle-orm/pg-core') = load('drizzle-orm/pg-core');
export const {
  bigint,
  boolean,
  customType,
  doublePrecision,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} = postgres;

/** Drizzle over PGlite, and its migrator. */
export const pgliteDriver = () => {
  const { drizzle }: typeof import('drizzle-orm/pglite') = load('drizzle-orm/pglite');
  const { migrate }: typeof import('drizzle-orm/pglite/migrator') = load(
    'drizzle-orm/pglite/migrator',
  );
  return { drizzle, migrate };
};

/** Drizzle over postgres.js, and its migrator. */
export const postgresDriver = () => {
  const { drizzle }: typeof import('drizzle-orm/postgres-js') = load('drizzle-orm/postgres-js');
  const { migrate }: typeof import('drizzle-orm/postgres-js/migrator') = load(
    'drizzle-orm/postgres-js/migrator',
  );
  return { drizzle, migrate };
};
