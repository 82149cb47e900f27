import type { MiddlewareHandler } from 'hono';
import { bodyLimit as honoBodyLimit } from 'hono/body-limit';
import { KennelError } from '../../core/errors.ts';

/** Refuses bodies that are longer, also such as do not say beforehand how long they are. */
export const bodyLimit = (bytesMax: number): MiddlewareHandler =>
  honoBodyLimit({
    maxSize: bytesMax,
    onError: () => {
      throw new KennelError('request.tooLarge', `a body may have ${bytesMax} bytes`, {
        details: { bytesMax },
      });
    },
  });
