import fc from 'fast-check';
import { type ApiDocument, type JsonSchema, resolved } from './apiDocument.ts';

const ITEMS_MAX = 5;
const LENGTH_MAX = 60;

/** Data that a schema describes, as far as a schema can say it. */
export function fromSchema(given: JsonSchema, document: ApiDocument): fc.Arbitrary<unknown> {
  const schema = resolved(given, document);
  const make = (other: JsonSchema) => fromSchema(other, document);
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (alternatives) return fc.oneof(...alternatives.map(make));
  if (schema.allOf) {
    return fc.tuple(...schema.allOf.map(make)).map((parts) =>
      // Parts of an intersection are objects.
      Object.assign({}, ...(parts as object[])),
    );
  }
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  if (types.length > 1) return fc.oneof(...types.map((type) => make({ ...schema, type })));
  return ofType(types[0], schema, make);
}

function ofType(
  type: string | undefined,
  schema: JsonSchema,
  make: (schema: JsonSchema) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
    case 'number':
      return numberOf(schema);
    case 'string':
      return stringOf(schema);
    case 'array':
      return fc.array(make(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(
          schema.maxItems ?? ITEMS_MAX,
          Math.max(ITEMS_MAX, schema.minItems ?? 0),
        ),
      });
    case 'object':
      return objectOf(schema, make);
    default:
      return fc.jsonValue();
  }
}

function numberOf({ type, minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema) {
  const lowest = exclusiveMinimum ?? minimum ?? -1e9;
  const highest = exclusiveMaximum ?? maximum ?? 1e9;
  if (type === 'integer') {
    const min = Math.max(Math.ceil(lowest), Number.MIN_SAFE_INTEGER);
    const max = Math.min(Math.floor(highest), Number.MAX_SAFE_INTEGER);
    return fc.integer({
      min: exclusiveMinimum === undefined ? min : min + 1,
      max: exclusiveMaximum === undefined ? max : max - 1,
    });
  }
  return fc.double({
    min: lowest,
    max: highest,
    minExcluded: exclusiveMinimum !== undefined,
    maxExcluded: exclusiveMaximum !== undefined,
    noNaN: true,
  });
}

function stringOf({ format, pattern, minLength = 0, maxLength = LENGTH_MAX }: JsonSchema) {
  if (format === 'uuid') return fc.uuid();
  if (format === 'uri') return fc.webUrl();
  if (format === 'date-time')
    return fc
      .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString());
  const plain = fc.string({
    unit: 'binary',
    minLength,
    maxLength: Math.max(minLength, Math.min(maxLength, LENGTH_MAX)),
  });
  if (pattern === undefined) return plain;
  try {
    return fc.stringMatching(new RegExp(pattern, 'u'));
  } catch {
    // Look-arounds cannot be turned round: whatever comes is refused, which is an answer too.
    return plain;
  }
}

function objectOf(
  { properties = {}, required = [], additionalProperties, propertyNames }: JsonSchema,
  make: (schema: JsonSchema) => fc.Arbitrary<unknown>,
): fc.Arbitrary<Record<string, unknown>> {
  const made = Object.entries(properties).map(([name, its]) => [name, make(its)] as const);
  const named = fc.record(Object.fromEntries(made), { requiredKeys: [...required] });
  if (typeof additionalProperties !== 'object') return named;
  const names = propertyNames
    ? make({ type: 'string', ...propertyNames }).map(String)
    : fc.string();
  const others = fc.dictionary(names, make(additionalProperties), { maxKeys: ITEMS_MAX });
  return fc.tuple(named, others).map(([one, other]) => ({ ...other, ...one }));
}

/** Texts that break what is not careful: NUL, half a surrogate pair, long ones, what means something to somebody. */
const NASTY = [
  '\0',
  '\ud800',
  '\udfff\ud800',
  '',
  ' ',
  '__proto__',
  "'; drop table jobs; --",
  '../../etc/passwd',
  '%00',
  '1e999',
  'x'.repeat(20_000),
  '\u202e\ufeff',
];
export const nasty = fc.constantFrom(...NASTY);

/** Data that a schema describes, or nearly, or not at all. */
export function aroundSchema(schema: JsonSchema, document: ApiDocument): fc.Arbitrary<unknown> {
  const right = fromSchema(schema, document);
  const anything = fc.oneof(fc.jsonValue(), nasty, fc.double(), fc.maxSafeInteger());
  const nearly = fc.tuple(right, fc.nat(), anything).map(([value, at, other]) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return other;
    const names = [...Object.keys(value), 'unheardOf'];
    return { ...value, [names[at % names.length] ?? '']: other };
  });
  return fc.oneof(
    { weight: 4, arbitrary: right },
    { weight: 3, arbitrary: nearly },
    { weight: 1, arbitrary: anything },
  );
}
