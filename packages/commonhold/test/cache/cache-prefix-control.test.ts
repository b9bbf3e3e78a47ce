import { afterEach, describe, expect, it, vi } from 'vitest';
import type * as KeysModule from '../../src/keys.js';
import type { TestRunner } from '../../src/testing/suite.js';
import { useServer } from '../engines.js';

// A planted bug of its own kind: a prefix that reaches the server as it was given, so that its globs act.
describe('planted bug: glob in a prefix', () => {
  const server = useServer();
  afterEach(() => {
    vi.doUnmock('../../src/keys.js');
    vi.resetModules();
  });

  it('is noticed by the suite', async () => {
    vi.resetModules();
    vi.doMock('../../src/keys.js', async (importOriginal) => {
      const original = await importOriginal<typeof KeysModule>();
      const createKeys = (namespace: string): KeysModule.Keys => ({
        ...original.createKeys(namespace),
        taggedPrefix: (feature, part, prefix) => `${namespace}:${feature}:{${part}:${prefix.replace(':', '%3A')}`,
      });
      return { ...original, createKeys };
    });
    const { redisEngine } = await import('../../src/testing/engine.js');
    const { cacheConformance } = await import('../../src/testing/cache-conformance.js');
    const tests: (() => Promise<void>)[] = [];
    const runner: TestRunner = {
      describe: (_, body) => body(),
      it: (name, body) => void (name.endsWith('clear takes a prefix literally') && tests.push(body)),
    };
    cacheConformance(runner, () => redisEngine(server()));
    expect(tests.length).toBe(1);
    await expect(tests[0]?.()).rejects.toThrow();
  });
});
