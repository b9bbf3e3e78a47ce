import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createOwner } from '../src/owner.js';
import { systemRandom } from '../src/random.js';
import { seededRandom } from '../src/testing/random.js';

describe('createOwner', () => {
  it('names the process after host and process id', () => {
    expect(createOwner(systemRandom).name).toBe(`${hostname()}-${process.pid}`);
  });

  it('gives each incarnation 8 random characters, so that a restarted container is another owner', () => {
    const ids = new Set(Array.from({ length: 10_000 }, () => createOwner(systemRandom, 'container-1').id));
    expect(ids.size).toBe(10_000);
    for (const id of ids) expect(id).toMatch(/^container-1#[\w-]{8}$/);
    expect(createOwner(seededRandom(1), 'a')).toEqual(createOwner(seededRandom(1), 'a'));
  });

  it.each(['a', 'container-1', 'häuschen 2', 'x'.repeat(128), '🔑'])('accepts %s', (name) => {
    expect(createOwner(systemRandom, name).name).toBe(name);
  });

  it.each(['', 'a#b', 'a\nb', '\u0000', 'x'.repeat(129), '\ud800', 5, null, {}])('refuses %j', (name) => {
    expect(() => createOwner(systemRandom, name as string, 'Environment variable CONTAINER_ID')).toThrow(
      expect.objectContaining({
        code: 'InvalidArgument',
        message: expect.stringMatching(/^Environment variable CONTAINER_ID: expected 1 to 128 characters/) as string,
      }),
    );
  });
});
