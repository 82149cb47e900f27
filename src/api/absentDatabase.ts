import { Hono } from 'hono';
import { KennelError } from '../core/errors.ts';
import type { ApiEnv } from './apiEnv.ts';
import { errorAnswer } from './errorAnswer.ts';
import { requestIds } from './middleware/requestIds.ts';

/** Answers as long as the service has not seen its database yet: nothing can be known, not even who asks. */
export function absentDatabase(): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.use(requestIds());
  app.all('*', (c) =>
    errorAnswer(c, new KennelError('database.unavailable', 'the database does not answer yet')),
  );
  return app;
}
