import { defineConfig } from 'drizzle-kit';

/** `npx drizzle-kit generate --name <why>` writes the next migration; it needs no database. */
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/db/schema.ts',
  out: './drizzle',
});
