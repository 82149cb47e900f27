import fc from 'fast-check';
import { type ApiDocument, type JsonSchema, resolved } from './apiDocument.ts';

const ITEMS_MAX = 5;
const LENGTH_MAX = 60;

export interface Source {
  readonly document: ApiDocument;
  /** Values that mean something, by the name of the member that has them. */
  readonly known?: Readonly<Record<string, string>>;
}

/** Data that a schema describes, as far as a schema can say it. */
export function fromSchema(given: JsonSchema, source: Source): fc.Arbitrary<unknown> {
  const schema = resolved(given, source.document);
  const { example, ...rest } = schema;
  if (example !== undefined) return fc.oneof(fc.constant(example), fromSchema(rest, source));
  const make = (other: JsonSchema) => fromSchema(other, source);
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
  return types[0] === 'object' ? objectOf(schema, source) : ofType(types[0], schema, make);
}

function ofType(
  type: string | undefined,
  schema: JsonSchema,
  make: (schema: JsonSchema) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  switch (type ?? 'anything') {
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

/** Any code point, halves of surrogate pairs included. fast-check's own units take seconds to be made. */
const letter = fc
  .oneof(
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 0x7f }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 0x10_ff_ff }) },
  )
  .map((point) => String.fromCodePoint(point));

function stringOf({ format, pattern, minLength = 0, maxLength = LENGTH_MAX }: JsonSchema) {
  if (format === 'uuid') return fc.uuid();
  if (format === 'uri') return fc.webUrl();
  if (format === 'date-time')
    return fc
      .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString());
  const plain = fc.string({
    unit: letter,
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

/** Optional members that one object has beside the required ones, mostly: of many, one is nearly always refused. */
const OPTIONAL_MAX = 3;

function objectOf(
  { properties = {}, required = [], additionalProperties, propertyNames }: JsonSchema,
  source: Source,
): fc.Arbitrary<Record<string, unknown>> {
  const made = Object.entries(properties).map(([name, its]) => {
    const known = source.known?.[name];
    const any = fromSchema(its, source);
    return [name, known === undefined ? any : fc.oneof(fc.constant(known), any)] as const;
  });
  const whole = fc.record(Object.fromEntries(made), { requiredKeys: [...required] });
  const optional = Object.keys(properties).filter((name) => !required.includes(name));
  const few = fc
    .tuple(
      fc.record(Object.fromEntries(made)),
      fc.subarray(optional, { maxLength: Math.min(OPTIONAL_MAX, optional.length) }),
    )
    .map(([all, chosen]) => {
      const kept = [...required, ...chosen];
      return Object.fromEntries(Object.entries(all).filter(([name]) => kept.includes(name)));
    });
  const named = fc.oneof({ weight: 3, arbitrary: few }, { weight: 1, arbitrary: whole });
  if (typeof additionalProperties !== 'object') return named;
  const names = fromSchema({ type: 'string', ...propertyNames }, source).map(String);
  const others = fc.dictionary(names, fromSchema(additionalProperties, source), {
    maxKeys: ITEMS_MAX,
  });
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
export function aroundSchema(schema: JsonSchema, source: Source): fc.Arbitrary<unknown> {
  const right = fromSchema(schema, source);
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
