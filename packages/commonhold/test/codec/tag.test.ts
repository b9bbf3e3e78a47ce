import { describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codec.js';
import { thrownBy } from './thrown.js';

const codec = createCodec();

function nested(levels: number, wrap: (inner: unknown) => unknown, leaf: unknown): unknown {
  let value = leaf;
  for (let level = 0; level < levels; level++) value = wrap(value);
  return value;
}

const containers: [string, (inner: unknown) => unknown][] = [
  ['arrays', (inner) => [inner]],
  ['objects', (inner) => ({ inner })],
  ['objects that look like tags', (inner) => ({ $set: inner })],
  ['Sets', (inner) => new Set([inner])],
  ['keys of Maps', (inner) => new Map([[inner, 1]])],
  ['values of Maps', (inner) => new Map([[1, inner]])],
];

function save(): void {}

describe('refusal of what is not data', () => {
  class Account {
    id = 1;
  }

  it.each<[string, unknown, string]>([
    ['a function', save, 'value: '],
    ['a member', { user: { save } }, 'value.user.save: '],
    ['an element', { users: [{}, { save }] }, 'value.users[1].save: '],
    ['a strange name', { 'first name': { "it's": save } }, 'value["first name"]["it\'s"]: '],
    ['a long name', { ['n'.repeat(50)]: save }, 'value[a string of 50 characters]: '],
    ['a member of a Set', { tags: new Set([1, save]) }, 'value.tags[1]: '],
    ['a key of a Map', new Map<unknown, number>().set(1, 2).set(save, 3), 'value[1]: '],
    ['a value of a Map', new Map([[1, save]]), 'value[0]: '],
    ['after siblings', { a: { b: [1] }, c: new Date(0), d: save }, 'value.d: '],
  ])('names the path of %s', (_, value, path) => {
    const error = thrownBy(() => codec.encode(value, 'cache pages, key x'));
    expect(error.code).toBe('InvalidArgument');
    expect(error.message).toContain(`cache pages, key x: ${path}expected plain data (`);
    expect(error.message).toMatch(/, received a function$/);
  });

  it.each<[string, unknown, string]>([
    ['a symbol', Symbol('a'), 'a symbol'],
    ['a class instance', new Account(), 'an instance of Account'],
    ['an instance with toJSON', new URL('http://localhost'), 'an instance of URL'],
    ['an Error', new Error('x'), 'an instance of Error'],
    ['a Promise', Promise.resolve(), 'an instance of Promise'],
    ['a RegExp', /x/, 'an instance of RegExp'],
    ['a boxed string', Object('x'), 'an instance of String'],
    ['a WeakMap', new WeakMap(), 'an instance of WeakMap'],
    ['an ArrayBuffer', new ArrayBuffer(1), 'an instance of ArrayBuffer'],
    ['a DataView', new DataView(new ArrayBuffer(1)), 'an instance of DataView'],
    ['something that poses as a Map', Object.create(Map.prototype), 'an instance of Map'],
  ])('refuses %s', (_, value, received) => {
    const error = thrownBy(() => codec.encode([value], 'test'));
    expect(error.code).toBe('InvalidArgument');
    expect(error.message).toContain(`test: value[0]: expected plain data`);
    expect(error.message.endsWith(`received ${received}`)).toBe(true);
  });

  it('refuses an own property __proto__, with its path', () => {
    for (const poison of ['{"__proto__":{}}', '{"__proto__":null,"a":1}', '{"a":1,"__proto__":1}']) {
      const error = thrownBy(() => codec.encode({ body: JSON.parse(poison) as unknown, at: new Date(0) }, 'test'));
      expect(error.code).toBe('InvalidArgument');
      expect(error.message).toContain('test: value.body: expected an object without an own property __proto__');
    }
  });
});

describe('depth', () => {
  it.each(containers)('64 %s fit, also around a tagged value, 65 do not', (_, wrap) => {
    for (const leaf of [1, 1n, Buffer.from('x')]) {
      const fits = nested(64, wrap, leaf);
      expect(codec.decode(codec.encode(fits, 'test'), 'test')).toStrictEqual(fits);
      expect(thrownBy(() => codec.encode(nested(65, wrap, leaf), 'test'))).toMatchObject({
        code: 'ValueTooLarge',
        message: 'test exceeds a depth of 64',
      });
    }
  });

  it.each(containers)('refuses 100,000 %s without overflowing the stack', (_, wrap) => {
    expect(thrownBy(() => codec.encode(nested(100_000, wrap, 1), 'test')).code).toBe('ValueTooLarge');
  });

  it('refuses a value that contains itself', () => {
    const object: Record<string, unknown> = { many: Array.from({ length: 1000 }, (_, id) => ({ id })) };
    object['self'] = object;
    const array: unknown[] = [];
    array.push(array, array, array);
    const set = new Set<unknown>();
    set.add({ set });
    const map = new Map<unknown, unknown>();
    map.set(map, [map]);
    for (const value of [object, array, set, map]) {
      const error = thrownBy(() => codec.encode(value, 'test'));
      expect(error.message).toBe('test exceeds a depth of 64');
      expect(error.advice).toContain('a value that contains itself has no end');
    }
  });

  it('writes a value that is met twice, twice', () => {
    const shared = { a: 1 };
    expect(codec.encode([shared, shared], 'test')).toBe('[{"a":1},{"a":1}]');
  });
});

describe('BigInt', () => {
  it('has at most 10,000 digits', () => {
    const largest = 10n ** 10_000n - 1n;
    for (const value of [largest, -largest]) {
      expect(codec.decode(codec.encode(value, 'test'), 'test')).toBe(value);
    }
    for (const value of [largest + 1n, -largest - 1n]) {
      expect(thrownBy(() => codec.encode({ value }, 'test'))).toMatchObject({
        code: 'ValueTooLarge',
        message: 'test exceeds a bigint of 10000 digits',
      });
    }
  });
});
