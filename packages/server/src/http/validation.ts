import AjvCompiler from '@fastify/ajv-compiler';
import type { FastifySchemaValidationError } from 'fastify';

type ValidatorFactory = ReturnType<typeof AjvCompiler>;

/**
 * Builds validators that take a JSON body as it is, and turn the text of URLs and headers into the numbers and booleans
 * that a schema asks for. Fastify's own turns a body's `null` into 0 and drops properties that a schema forbids.
 */
export function createValidatorFactory(): ValidatorFactory {
  const compilers = AjvCompiler();
  return (externalSchemas) => {
    const options = { removeAdditional: false, verbose: true } as const;
    const exact = compilers(externalSchemas, { customOptions: { ...options, coerceTypes: false } });
    const coercing = compilers(externalSchemas, { customOptions: { ...options, coerceTypes: 'array' } });
    return (schema: unknown, meta?: boolean) => (isOfBody(schema) ? exact : coercing)(schema as object, meta);
  };
}

// Fastify calls it with the route's definition, which the published type does not say.
function isOfBody(route: unknown): boolean {
  return (route as { httpPart?: string }).httpPart === 'body';
}

/** The failed check, with the value it failed on. */
interface FailedCheck extends FastifySchemaValidationError {
  readonly data?: unknown;
}

/**
 * Says where a request differs from its schema and what was expected there, such as
 * `body.roses[2]: expected a string, received null`. Values are not repeated: they may be secrets.
 */
export function describeSchemaErrors(errors: FastifySchemaValidationError[], part: string): Error {
  const first: FailedCheck | undefined = errors[0];
  if (first === undefined) return new Error(`${part}: expected something else`);
  const where = `${part === 'querystring' ? 'query' : part}${path(first.instancePath)}`;
  const received = first.keyword === 'type' ? `, received ${kindOf(first.data)}` : '';
  return new Error(`${where}: expected ${expectation(first)}${received}`);
}

/** A JSON pointer as people write it: `/roses/2/id` is `.roses[2].id`. */
function path(pointer: string): string {
  const parts = pointer.split('/').slice(1);
  return parts
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${shortened(part)}`))
    .join('');
}

type Params = Readonly<Record<string, unknown>>;

const expectations: Readonly<Record<string, (params: Params) => string>> = {
  type: ({ type }) => [type].flat().map(withArticle).join(' or '),
  required: ({ missingProperty }) => `the property ${quoted(missingProperty)}`,
  additionalProperties: ({ additionalProperty }) => `no property ${quoted(additionalProperty)}`,
  enum: ({ allowedValues }) => `one of ${[allowedValues].flat().map(quoted).join(', ')}`,
  const: ({ allowedValue }) => quoted(allowedValue),
  minLength: ({ limit }) => `at least ${count(limit, 'character')}`,
  maxLength: ({ limit }) => `at most ${count(limit, 'character')}`,
  minItems: ({ limit }) => `at least ${count(limit, 'item')}`,
  maxItems: ({ limit }) => `at most ${count(limit, 'item')}`,
  minProperties: ({ limit }) => `at least ${count(limit, 'property', 'properties')}`,
  maxProperties: ({ limit }) => `at most ${count(limit, 'property', 'properties')}`,
  minimum: ({ limit }) => `${String(limit)} or more`,
  maximum: ({ limit }) => `${String(limit)} or less`,
  exclusiveMinimum: ({ limit }) => `more than ${String(limit)}`,
  exclusiveMaximum: ({ limit }) => `less than ${String(limit)}`,
  multipleOf: ({ multipleOf }) => `a multiple of ${String(multipleOf)}`,
  uniqueItems: () => 'items that differ from each other',
  format: ({ format }) => `text in the format ${quoted(format)}`,
  pattern: ({ pattern }) => `text that matches ${String(pattern)}`,
};

function expectation({ keyword, params, message }: FastifySchemaValidationError): string {
  return expectations[keyword]?.(params) ?? (message ?? 'something else').replace(/^must (?:be |have )?/, '');
}

function withArticle(type: unknown): string {
  if (type === 'null') return 'null';
  return `${/^[aeiou]/.test(String(type)) ? 'an' : 'a'} ${String(type)}`;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return withArticle(Array.isArray(value) ? 'array' : typeof value);
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(shortened(value)) : JSON.stringify(value);
}

// A property's name comes from the client and may be of any length.
function shortened(name: string): string {
  return name.length <= 40 ? name : `${name.slice(0, 40)}...`;
}

function count(limit: unknown, one: string, many = `${one}s`): string {
  return `${String(limit)} ${limit === 1 ? one : many}`;
}
