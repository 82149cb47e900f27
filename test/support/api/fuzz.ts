import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { SCOPES } from '../../../src/core/access.ts';
import {
  type ApiDocument,
  apiDocument,
  bodySchemaOf,
  operationsOf,
  type Parameter,
  type PlacedOperation,
} from './apiDocument.ts';
import { aroundSchema, fromSchema, nasty, type Source } from './fromSchema.ts';
import { OWN } from './memoryParts.ts';
import { tenantWorld } from './tenantWorld.ts';

export interface FuzzOptions {
  /** Requests to each operation. */
  readonly cases: number;
  /** The same seed asks the same. */
  readonly seed: number;
}

export interface FuzzReport {
  /** `POST /keys 201` → how often. */
  readonly answers: Readonly<Record<string, number>>;
  readonly requests: number;
}

interface Asked {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
}

/**
 * Asks every operation of the API what its schema describes, nearly describes, and does not describe. No answer may be a
 * failure of Kennel, have a status that is not declared, or a body that does not match its schema, and HEAD answers as GET
 * does. Throws with the smallest request that shows a fault.
 */
export async function fuzzApi({ cases, seed }: FuzzOptions): Promise<FuzzReport> {
  const document = apiDocument();
  const matches = bodyChecks(document);
  const answers: Record<string, number> = {};
  let requests = 0;
  for (const operation of operationsOf(document)) {
    const { app, ids, keyOf } = await tenantWorld();
    const authorization = `Bearer ${await keyOf(OWN, SCOPES)}`;
    const property = fc.asyncProperty(
      requestTo(operation, { document, known: ids }),
      async (asked) => {
        const { url, init } = requestOf(operation, asked, authorization);
        const answer = await app.request(url, init);
        requests += 1;
        const told = `${operation.method} ${operation.path} ${answer.status}`;
        answers[told] = (answers[told] ?? 0) + 1;
        const bytes = await bodyOf(answer);
        matches(operation, answer, bytes);
        if (operation.method !== 'GET' || bytes === undefined) return;
        const head = await app.request(url, { ...init, method: 'HEAD' });
        if (
          head.status !== answer.status ||
          head.headers.get('content-length') !== String(bytes.byteLength)
        )
          throw new Error(`HEAD ${url} is not as GET: ${head.status} instead of ${answer.status}`);
      },
    );
    await fc.assert(property, { numRuns: cases, seed });
  }
  return { answers, requests };
}

/** Undefined: a stream of events, which is told to end. */
async function bodyOf(answer: Response): Promise<Uint8Array | undefined> {
  if (answer.headers.get('content-type')?.startsWith('text/event-stream')) {
    await answer.body?.cancel();
    return undefined;
  }
  return new Uint8Array(await answer.arrayBuffer());
}

function requestTo(operation: PlacedOperation, source: Required<Source>): fc.Arbitrary<Asked> {
  const { parameters = [] } = operation;
  const its = (place: Parameter['in']) => parameters.filter((one) => one.in === place);
  const values = (one: Parameter) =>
    fc.oneof(
      { weight: 6, arbitrary: fromSchema(one.schema, source).map(asText) },
      { weight: 2, arbitrary: aroundSchema(one.schema, source).map(asText) },
      { weight: 1, arbitrary: nasty },
    );
  const maybe = (one: Parameter) =>
    fc.oneof(
      { weight: one.required ? 0 : 3, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: values(one) },
    );
  const inPath = (one: Parameter) =>
    fc.oneof(
      ...[source.known[one.name]].filter((id) => id !== undefined).map((id) => fc.constant(id)),
      values(one).filter(isSegment),
    );
  const all = <Value>(place: Parameter['in'], make: (one: Parameter) => fc.Arbitrary<Value>) =>
    fc.record(Object.fromEntries(its(place).map((one) => [one.name, make(one)])));
  const schema = bodySchemaOf(operation);
  return fc.record({
    path: all('path', inPath),
    query: all('query', maybe),
    headers: all('header', (one) => maybe(one).map((text) => (isField(text) ? text : undefined))),
    body: schema ? aroundSchema(schema, source) : fc.constant(undefined),
  });
}

const asText = (value: unknown): string =>
  (typeof value === 'string' ? value : `${JSON.stringify(value)}`).toWellFormed();

/** What the URL parser leaves where it is. */
const isSegment = (text: string): boolean =>
  text !== '' && text.length < 5_000 && !/^(\.|%2e){1,2}$/i.test(text);

const isField = (text: string | undefined): boolean =>
  text !== undefined && /^[\x21-\x7e][\x20-\x7e]*$/.test(text);

function requestOf(
  { method, path }: PlacedOperation,
  asked: Asked,
  authorization: string,
): { readonly url: string; readonly init: RequestInit } {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent((asked.path[name] ?? '').toWellFormed()),
  );
  const query = new URLSearchParams();
  for (const [name, text] of Object.entries(asked.query))
    if (text !== undefined) query.set(name, text.toWellFormed());
  const headers = new Headers({ authorization });
  for (const [name, text] of Object.entries(asked.headers))
    if (text !== undefined) headers.set(name, text);
  const body = asked.body === undefined ? undefined : JSON.stringify(asked.body);
  if (body !== undefined) headers.set('content-type', 'application/json');
  const url = query.size === 0 ? filled : `${filled}?${query}`;
  return { url, init: { method, headers, ...(body !== undefined && { body }) } };
}

/** Throws when an answer is not what the document promises. */
function bodyChecks(document: ApiDocument) {
  const ajv = new Ajv2020.default({ strict: false, allErrors: true });
  ajv.addFormat('date-time', (text: string) => !Number.isNaN(Date.parse(text)));
  ajv.addFormat('uuid', /^[0-9a-f-]{36}$/i);
  ajv.addFormat('uri', (text: string) => URL.canParse(text));
  ajv.addSchema(document, 'api');
  const compiled = new Map<string, ValidateFunction>();
  const check = (place: string): ValidateFunction => {
    const known = compiled.get(place) ?? ajv.compile({ $ref: `api#${place}` });
    compiled.set(place, known);
    return known;
  };
  return (operation: PlacedOperation, answer: Response, bytes: Uint8Array | undefined): void => {
    const { method, path, responses } = operation;
    const text = () => new TextDecoder().decode(bytes).slice(0, 500);
    // The one refusal that is Kennel's own, and nobody's fault: there is no room.
    const isRefusal = answer.status === 503 && text().includes('"capacity.exceeded"');
    if (answer.status >= 500 && !isRefusal)
      throw new Error(`${method} ${path} failed: ${answer.status} ${text()}`);
    const declared = responses[answer.status];
    if (!declared)
      throw new Error(`${method} ${path} does not declare ${answer.status}: ${text()}`);
    const type = (answer.headers.get('content-type') ?? '').split(';')[0] ?? '';
    if (bytes === undefined || (bytes.byteLength === 0 && !declared.content)) return;
    const media = declared.content?.[type];
    if (!media) throw new Error(`${method} ${path} ${answer.status} does not declare ${type}`);
    if (!media.schema || !/json/.test(type)) return;
    const validate = check(
      pointer([
        'paths',
        path,
        method.toLowerCase(),
        'responses',
        String(answer.status),
        'content',
        type,
        'schema',
      ]),
    );
    if (!validate(JSON.parse(new TextDecoder().decode(bytes))))
      throw new Error(
        `${method} ${path} ${answer.status}: ${ajv.errorsText(validate.errors)}: ${text()}`,
      );
  };
}

/** A JSON pointer as a fragment of a URI. */
const pointer = (names: readonly string[]): string =>
  names
    .map((name) => `/${encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))}`)
    .join('');
