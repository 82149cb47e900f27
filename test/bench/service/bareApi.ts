import { serve } from '@hono/node-server';
import { and, desc, eq } from 'drizzle-orm';
import { Hono } from 'hono';
import { LEGAL_MOVES } from '../../../machines/index.ts';
import { openDatabase } from '../../../src/db/database.ts';
import { jobs, recordings } from '../../../src/db/schema.ts';

/**
 * What the two routes cost at least: Hono, the same queries by Drizzle on the same database, and JSON. No keys, scopes, limits, log,
 * checks, ETags. Prints its address.
 */
const [url = ''] = process.argv.slice(2);
const { db } = await openDatabase({ url, directory: '/nonexistent', legalMoves: LEGAL_MOVES });
const select = () =>
  db
    .select({ job: jobs, recording: recordings })
    .from(jobs)
    .leftJoin(recordings, eq(recordings.jobId, jobs.id));
const app = new Hono()
  .get('/api/v1/jobs/:jobId', async (c) => {
    const [row] = await select().where(eq(jobs.id, c.req.param('jobId')));
    return row ? c.json(row) : await c.notFound();
  })
  .get('/api/v1/jobs', async (c) => {
    const [rows, total] = await Promise.all([
      select()
        .where(and())
        .orderBy(desc(jobs.createdAt), desc(jobs.id))
        .limit(Number(c.req.query('limit'))),
      db.$count(jobs),
    ]);
    return c.json({ jobs: rows, total_count: total });
  });
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
  process.stdout.write(`http://127.0.0.1:${port}\n`);
});
