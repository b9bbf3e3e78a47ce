import { fastify } from 'fastify';
import { describe, expect, it } from 'vitest';
import { createValidatorFactory, describeSchemaErrors } from '../../src/http/validation.js';

/** What the formatter says of `body` under `schema`, and what the handler got if nothing. */
async function outcome(schema: object, body: unknown): Promise<string> {
  const http = fastify({
    schemaController: { compilersFactory: { buildValidator: createValidatorFactory() } },
    schemaErrorFormatter: describeSchemaErrors,
  });
  http.post('/', { schema: { body: schema } }, (request) => Promise.resolve({ body: request.body }));
  http.setErrorHandler((error: Error, _request, reply) => reply.code(422).send(error.message));
  const { body: text } = await http.inject({ method: 'POST', url: '/', payload: JSON.stringify(body), headers: json });
  return text;
}

const json = { 'content-type': 'application/json' };
const properties = {
  text: { type: 'string', minLength: 2, maxLength: 3, pattern: '^a' },
  mail: { type: 'string', format: 'email' },
  number: { type: 'number', minimum: 1, maximum: 3, multipleOf: 0.5 },
  between: { type: 'number', exclusiveMinimum: 1, exclusiveMaximum: 3 },
  whole: { type: ['integer', 'null'] },
  one: { enum: ['a', 2, null] },
  same: { const: 'x' },
  list: { type: 'array', minItems: 1, maxItems: 2, uniqueItems: true, items: { type: 'string' } },
  map: { type: 'object', minProperties: 1, maxProperties: 2 },
  deep: { type: 'object', properties: { 'a/b~c': { type: 'object', required: ['id'] } } },
  either: { anyOf: [{ type: 'string' }, { type: 'number' }] },
};
const schema = { type: 'object', additionalProperties: false, properties };

describe('describeSchemaErrors', () => {
  it.each([
    [[], 'body: expected an object, received an array'],
    [null, 'body: expected an object, received null'],
    [{ text: 5 }, 'body.text: expected a string, received a number'],
    [{ text: null }, 'body.text: expected a string, received null'],
    [{ text: 'a' }, 'body.text: expected at least 2 characters'],
    [{ text: 'aaaa' }, 'body.text: expected at most 3 characters'],
    [{ text: 'bbb' }, 'body.text: expected text that matches ^a'],
    [{ mail: 'me' }, 'body.mail: expected text in the format "email"'],
    [{ number: '1' }, 'body.number: expected a number, received a string'],
    [{ number: 0 }, 'body.number: expected 1 or more'],
    [{ number: 4 }, 'body.number: expected 3 or less'],
    [{ number: 1.2 }, 'body.number: expected a multiple of 0.5'],
    [{ between: 1 }, 'body.between: expected more than 1'],
    [{ between: 3 }, 'body.between: expected less than 3'],
    [{ whole: 1.5 }, 'body.whole: expected an integer or null, received a number'],
    [{ one: 'b' }, 'body.one: expected one of "a", 2, null'],
    [{ same: 'y' }, 'body.same: expected "x"'],
    [{ list: [] }, 'body.list: expected at least 1 item'],
    [{ list: ['a', 'b', 'c'] }, 'body.list: expected at most 2 items'],
    [{ list: ['a', 'a'] }, 'body.list: expected items that differ from each other'],
    [{ list: ['a', 5] }, 'body.list[1]: expected a string, received a number'],
    [{ map: {} }, 'body.map: expected at least 1 property'],
    [{ map: { a: 1, b: 2, c: 3 } }, 'body.map: expected at most 2 properties'],
    [{ deep: { 'a/b~c': {} } }, 'body.deep.a/b~c: expected the property "id"'],
    [{ other: 1 }, 'body: expected no property "other"'],
    [{ ['x'.repeat(500)]: 1 }, `body: expected no property "${'x'.repeat(40)}..."`],
    [{ either: true }, 'body.either: expected a string, received a boolean'],
  ])('says of %j: %s', async (body, message) => {
    expect(await outcome(schema, body)).toBe(message);
  });

  it('never repeats a value', async () => {
    expect(await outcome(schema, { text: 'hunter2' })).not.toContain('hunter2');
  });

  it('has words for checks it does not know, and for none', () => {
    const check = { keyword: 'other', instancePath: '', schemaPath: '', params: {} };
    expect(describeSchemaErrors([{ ...check, message: 'must be nicer' }], 'querystring').message).toBe(
      'query: expected nicer',
    );
    expect(describeSchemaErrors([check], 'headers').message).toBe('headers: expected something else');
    expect(describeSchemaErrors([], 'params').message).toBe('params: expected something else');
  });
});

describe('createValidatorFactory', () => {
  it('leaves a body as it came', async () => {
    const body = { text: 'abc', number: 2, whole: null };
    expect(JSON.parse(await outcome(schema, body))).toEqual({ body });
    expect(await outcome({ type: 'object', properties: { n: { type: 'number' } } }, { n: null })).toBe(
      'body.n: expected a number, received null',
    );
  });
});
