import { apiApp } from '../../../src/api/app.ts';
import { openapiDocument } from '../../../src/api/openapiDocument.ts';
import { memoryParts } from './memoryParts.ts';

/** JSON Schema as far as OpenAPI documents of zod schemas have it. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly example?: unknown;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

interface Media {
  readonly schema?: JsonSchema;
}

export interface DocumentedOperation {
  readonly operationId: string;
  readonly 'x-access'?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, Media>> }>
  >;
}

export interface ApiDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

/** An operation where it stands. */
export interface PlacedOperation extends DocumentedOperation {
  /** Upper case. */
  readonly method: string;
  /** Whole: `/api/v1/keys/{keyId}`. */
  readonly path: string;
}

/** The document of the API as it is mounted. */
export const apiDocument = (): ApiDocument =>
  // Plain data, of the shape that the generator of the library makes.
  JSON.parse(JSON.stringify(openapiDocument(apiApp(memoryParts().parts), '0.0.0'))) as ApiDocument;

export const operationsOf = ({ paths }: ApiDocument): PlacedOperation[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      method: method.toUpperCase(),
      path,
    })),
  );

/** What a reference leads to. */
export function resolved(schema: JsonSchema, document: ApiDocument): JsonSchema {
  if (schema.$ref === undefined) return schema;
  const name = schema.$ref.replace('#/components/schemas/', '');
  const found = document.components.schemas[name];
  if (!found) throw new Error(`the document has no schema ${schema.$ref}`);
  return resolved(found, document);
}

/** The schema of a body that is sent as JSON. */
export const bodySchemaOf = ({ requestBody }: DocumentedOperation): JsonSchema | undefined =>
  requestBody?.content['application/json']?.schema;
