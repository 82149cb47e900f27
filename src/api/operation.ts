import { createRoute, type RouteConfig } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import type { z } from 'zod';
import type { KennelErrorCode } from '../core/errors.ts';
import { type Deprecation, deprecated } from './middleware/deprecated.ts';
import { ROUTE_ACCESS, type RouteKey } from './routeAccess.ts';
import { ApiError, Problem } from './schemas/error.ts';
import { statusOfError } from './statusOfError.ts';

type Answers = RouteConfig['responses'];
type Request = NonNullable<RouteConfig['request']>;

interface Declared {
  /** In a few words; the rest goes to `description`. */
  readonly summary: string;
  readonly description?: string;
  readonly request?: Request;
  /** What comes back when all is well, by status. */
  readonly answers: Answers;
  /** What else may come back, besides what every route may answer (see `COMMON`). */
  readonly errors?: readonly KennelErrorCode[];
  readonly deprecation?: Deprecation;
}

/** As types know it: whoever asks for problem documents reads them without the typed client. */
interface ErrorAnswer {
  readonly description: string;
  readonly content: { readonly 'application/json': { readonly schema: typeof ApiError } };
}

type MethodOf<Key> = Key extends `${infer Method} ${string}` ? Lowercase<Method> : never;
type PathOf<Key> = Key extends `${string} ${infer Path}` ? Path : never;

/** A route as `.openapi()` takes it: with the types of what is asked and answered, for handlers and for `hc`. */
type Operation<Key, Its> = {
  readonly method: MethodOf<Key> & RouteConfig['method'];
  readonly path: PathOf<Key>;
  readonly responses: (Its extends { readonly answers: infer Good extends Answers }
    ? Good
    : never) & {
    readonly '4XX': ErrorAnswer;
    readonly '5XX': ErrorAnswer;
  };
} & (Its extends { readonly request: infer Asked extends Request }
  ? { readonly request: Asked }
  : unknown);

/** Every route may answer these. */
const COMMON: readonly KennelErrorCode[] = ['rate.limited', 'bug'];
/** Whoever asks who somebody is asks the database. */
const COMMON_OF_KEYED: readonly KennelErrorCode[] = [
  'access.missing',
  'access.denied',
  'access.forbidden',
  'database.unavailable',
];

/**
 * Declares a route of `/api/v1`: `operation('GET /keys', …)`. What it asks of its caller is in `ROUTE_ACCESS`; that, and the
 * errors that follow from it, go into the OpenAPI document.
 */
export function operation<Key extends RouteKey, Its extends Declared>(
  key: Key,
  declared: Its,
): Operation<Key, Its> {
  const { summary, description, request, answers, errors = [], deprecation } = declared;
  const [method = '', path = ''] = key.split(' ');
  const access = ROUTE_ACCESS[key];
  const codes: KennelErrorCode[] = [...COMMON, ...errors];
  if (access !== 'open') codes.push(...COMMON_OF_KEYED);
  if (request) codes.push('request.invalid');
  if (request?.body) codes.push('request.tooLarge');
  const middleware: MiddlewareHandler[] = deprecation ? [deprecated(deprecation)] : [];
  const route = createRoute({
    // The key is `METHOD /path`, as its type says.
    method: method.toLowerCase() as RouteConfig['method'],
    path,
    operationId: operationIdOf(method, path),
    tags: [path.split('/')[1] ?? ''],
    summary,
    ...(description !== undefined && { description }),
    ...(request && { request }),
    ...(deprecation && { deprecated: true }),
    security: access === 'open' ? [] : [{ key: [] }],
    'x-access': access,
    middleware,
    responses: { ...answers, ...errorAnswers(codes) },
  });
  // The errors are there by status; types know them as 4XX and 5XX, since handlers throw them and never answer with them.
  return route as unknown as Operation<Key, Its>;
}

/** `POST /keys/{keyId}/rotate` → `postKeysByKeyIdRotate`. */
function operationIdOf(method: string, path: string): string {
  const words = path.match(/\{?[A-Za-z]+/g) ?? [];
  const capital = (word: string) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
  const named = words.map((word) =>
    word.startsWith('{') ? `By${capital(word.slice(1))}` : capital(word),
  );
  return `${method.toLowerCase()}${named.join('')}`;
}

function errorAnswers(codes: readonly KennelErrorCode[]): Answers {
  const byStatus = Map.groupBy(new Set(codes), statusOfError);
  const answers = [...byStatus].map(([status, its]): [number, Answers[string]] => [
    status,
    {
      description: its.map((code) => `\`${code}\``).join(', '),
      content: {
        'application/json': { schema: ApiError },
        'application/problem+json': { schema: Problem },
      },
    },
  ]);
  return Object.fromEntries(answers);
}

/** An answer whose body is JSON. */
export const jsonAnswer = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

/** A request whose body is JSON, and must be there. */
export const jsonBody = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true as const,
  content: { 'application/json': { schema } },
});
