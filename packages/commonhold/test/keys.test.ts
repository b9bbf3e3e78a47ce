import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKeys, encodePart, hashTag, searchablePrefixLength } from '../src/keys.js';
import { useServer } from './engines.js';

const keys = createKeys('app');
const server = useServer();

const special = [...Array.from('%:{}*?[]\\^-~25aA.\n\u0000 é🔑'), '%3A', '%~', '\u007f'];
/** Text with much of what has a meaning in keys, globs and hash tags, some of it long. */
const part = fc.oneof(
  fc.string({ minLength: 1, unit: fc.constantFrom(...special) }),
  fc.string({ minLength: 1, unit: 'grapheme' }),
  fc
    .integer({ min: 160, max: 700 })
    .chain((length) => fc.constantFrom('x', 'é', '%', '🔑', 'xy').map((unit) => unit.repeat(length))),
);
const parts = fc.array(part, { minLength: 1, maxLength: 4 });

describe('namespace', () => {
  it.each(['a', 'app', 'my-app_1.2', 'A'.repeat(64)])('may be %s', (namespace) => {
    expect(createKeys(namespace).namespace).toBe(namespace);
  });

  it.each(['', 'a:b', 'a*', 'a{b}', 'a b', 'é', 'a\n', 'A'.repeat(65), undefined, null, 5, {}])(
    'may not be %s',
    (namespace) => {
      expect(() => createKeys(namespace as string)).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
    },
  );
});

describe('tagged', () => {
  it('reads as documented', () => {
    expect(keys.tagged('cache', 'pages', 'a:1')).toBe('app:cache:{pages:a%3A1}');
    expect(keys.tagged('lock', 'é')).toBe('app:lock:{é}');
  });

  it('gives different inputs different keys', () => {
    fc.assert(
      fc.property(parts, parts, (one, two) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(two));
        expect(keys.tagged('f', ...one)).not.toBe(keys.tagged('f', ...two));
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives nearly equal inputs different keys: one character changed, moved across a border, or cut', () => {
    fc.assert(
      fc.property(parts, fc.nat(), (input, at) => {
        const joined = input.join(':');
        const variants = new Set([JSON.stringify(input)]);
        const outputs = new Set([keys.tagged('f', ...input)]);
        const add = (variant: string[]): void => {
          if (variant.some((piece) => piece === '' || !piece.isWellFormed())) return;
          variants.add(JSON.stringify(variant));
          outputs.add(keys.tagged('f', ...variant));
        };
        add([joined]);
        add([joined.slice(0, at % (joined.length + 1)), joined.slice(at % (joined.length + 1))]);
        add([encodePart(joined)]);
        add(input.map(encodePart));
        add([...input, 'x']);
        add(input.map((piece) => `${piece}x`));
        expect(outputs.size).toBe(variants.size);
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps all that one name needs in one slot, and different names apart', () => {
    fc.assert(
      fc.property(parts, (input) => {
        const key = keys.tagged('f', ...input);
        expect(hashTag(key)).toBe(input.map(encodePart).join(':'));
        expect(hashTag(`${key}:rest`)).toBe(hashTag(key));
      }),
    );
  });

  it('does not see other namespaces or features', () => {
    const key = keys.tagged('cache', 'x');
    expect(createKeys('app2').tagged('cache', 'x').startsWith(key)).toBe(false);
    expect(keys.tagged('counter', 'x')).not.toBe(key);
  });

  it('is bounded, however long its parts', () => {
    const key = keys.tagged('f', '🔑'.repeat(100_000), '\u0000'.repeat(100_000));
    expect(key.length).toBeLessThan(700);
    expect(key.isWellFormed()).toBe(true);
  });

  it('keeps a part of 512 bytes as it is and hashes one of 513', () => {
    expect(encodePart('x'.repeat(512))).toBe('x'.repeat(512));
    expect(encodePart('x'.repeat(513))).toMatch(/^x{64}%~[\w-]{43}$/);
    expect(encodePart('é'.repeat(256))).toBe('é'.repeat(256));
    expect(encodePart('é'.repeat(257))).toMatch(/^é{64}%~/);
  });

  it.each(['', '\ud800', 'a\udc00b', undefined, null, 5, {}, ['a']])('refuses the part %j', (bad) => {
    expect(() => keys.tagged('f', bad as string)).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
  });
});

describe('as a pattern', () => {
  it('a key of ours means itself and nothing else, to a real server', async () => {
    const names = [
      '*',
      '?',
      'a*',
      'a?',
      '[a]',
      '[^a]',
      '[a-z]',
      '\\a',
      '\\',
      'a',
      'ab',
      '^',
      '-',
      '{a}',
      '%2A',
      'é',
      '\n',
    ];
    for (const name of names) await server().command('SET', keys.tagged('glob', name), name);
    for (const name of names) {
      const found = await server().command('KEYS', keys.tagged('glob', name));
      expect(found).toEqual([keys.tagged('glob', name)]);
    }
  });

  it('a searched prefix finds what begins with it, to a real server', async () => {
    const names = ['user:*', 'user:1', 'user', 'users', '*', `user:${'x'.repeat(600)}`];
    for (const name of names) await server().command('SET', keys.tagged('prefix', 'c', name), name);
    for (const prefix of ['', 'user', 'user:', 'user:*', '*', 'x']) {
      const found = (await server().command('KEYS', `${keys.taggedPrefix('prefix', 'c', prefix)}*`)) as string[];
      const expected = names.filter((name) => name.startsWith(prefix)).map((name) => keys.tagged('prefix', 'c', name));
      expect(found.toSorted()).toEqual(expected.toSorted());
    }
  });
});

describe('taggedPrefix', () => {
  const prefix = fc
    .oneof(part, fc.constant(''))
    .map((text) => Array.from(text).slice(0, searchablePrefixLength).join(''));

  it('is what the keys begin with whose part begins with it, and no others', () => {
    fc.assert(
      fc.property(part, part, prefix, (cache, name, start) => {
        const key = keys.tagged('f', cache, name);
        expect(key.startsWith(keys.taggedPrefix('f', cache, start))).toBe(name.startsWith(start));
        const own = Array.from(name).slice(0, searchablePrefixLength).join('');
        expect(key.startsWith(keys.taggedPrefix('f', cache, own))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is refused where it is too long to be searched for', () => {
    expect(() => keys.taggedPrefix('f', 'c', '🔑'.repeat(65))).toThrow(/at most 64 characters/);
    expect(() => keys.taggedPrefix('f', 'c', '\ud800')).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
    expect(() => keys.taggedPrefix('f', 'c', 5 as never)).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
  });
});

describe('documented', () => {
  it('keeps the prefix and encodes the rest', () => {
    expect(keys.documented('ocr:task:data', 'a:b')).toBe('ocr:task:data:a%3Ab');
    expect(hashTag(keys.documented('{ocr}:task', 'x', 'y'))).toBe('ocr');
  });

  it.each(['', 'a b', 'é', 'a\n', 'x'.repeat(257), undefined])('refuses the prefix %j', (prefix) => {
    expect(() => keys.documented(prefix as string, 'x')).toThrow(/^prefix: /);
  });
});

describe('wake', () => {
  it('is the prefix and the encoded owner, so that a script can build it', () => {
    fc.assert(fc.property(part, (owner) => keys.wake(owner) === keys.wakePrefix + encodePart(owner)));
  });
});

describe('hashTag', () => {
  const cluster = useServer({ cluster: true });

  it('decides the slot as a real cluster does', async () => {
    const slot = (key: string): Promise<unknown> => cluster().command('CLUSTER', 'KEYSLOT', key);
    const samples = ['a', '{a}b', 'a{b}c', '{}a', 'a{}{b}', '{{a}}', 'a{b', 'a}b{', '{a}{b}', 'foo{bar{baz}}'];
    for (const key of samples) {
      const tag = hashTag(key);
      // A tag without braces of its own has the slot of its key.
      if (!/[{}]/.test(tag)) expect([key, await slot(tag)]).toEqual([key, await slot(key)]);
    }
    expect(samples.map(hashTag)).toEqual(['a', 'a', 'b', '{}a', 'a{}{b}', '{a', 'a{b', 'a}b{', 'a', 'bar{baz']);
  });
});
