import { describe, expect, it } from 'vitest';
import { hashPassword, verifyPassword } from '../src/index.js';

describe('passwords', () => {
  it('fit their own hash alone, which names its cost and has a salt', async () => {
    const [hash, other] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')]);
    expect(hash).toMatch(/^scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/);
    expect(hash).not.toBe(other);
    expect(await verifyPassword('correct horse', hash)).toBe(true);
    expect(await verifyPassword('correct horse ', hash)).toBe(false);
    expect(await verifyPassword('', hash)).toBe(false);
  });

  it('fit in whatever form of Unicode they were typed', async () => {
    expect(await verifyPassword('cafe\u0301', await hashPassword('caf\u00e9'))).toBe(true);
  });

  it('fit nothing where there is no hash', async () => {
    expect(await verifyPassword('')).toBe(false);
    expect(await verifyPassword('anything')).toBe(false);
  });
});
