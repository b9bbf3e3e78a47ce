import { describe, expect, it } from 'vitest';
import { guardArrows } from '../guards/arrows.mjs';
import { objections } from './planted.js';

const src = 'packages/commonhold/src/';
const features = { [`${src}lock/lock-port.ts`]: '', [`${src}cache/cache-port.ts`]: '' };

/** What the guard says about one import statement in one file of the library. */
function verdict(path: string, statement: string): string[] {
  return objections(guardArrows, { ...features, [src + path]: statement }).map((line) => line.replace(src, ''));
}

describe('arrows that are allowed', () => {
  it.each([
    ['keys.ts', "import { x } from './codec/codec.js'"],
    ['codec/codec.ts', "import { x } from '../errors.js'"],
    ['lock/lock.ts', "import type { Backend } from '../backend/backend.js'"],
    ['lock/lock.ts', "import { x } from './lock-operations.js'"],
    ['lock/lock.ts', "import type { CachePort } from '../cache/cache-port.js'"],
    ['lock/lock.ts', "import type { Cache } from '../cache/cache.js'"],
    ['leader/leader.ts', "import type { Lock } from '../lock/lock.js'"],
    ['lock/memory-lock.ts', "import { x } from '../backend/memory/memory-store.js'"],
    ['lock/redis-lock.ts', "import { x } from '../backend/redis/script.js'"],
    ['lock/redis-lock.ts', "import type { LockPort } from './lock-port.js'"],
    ['backend/backend.ts', "import type { LockPort } from '../lock/lock-port.js'"],
    ['backend/memory/memory-backend.ts', "import { x } from '../../lock/memory-lock.js'"],
    ['backend/redis/redis-ports.ts', "import { x } from '../../lock/redis-lock.js'"],
    ['backend/redis/redis-client.ts', "const client = await import('@redis/client')"],
    ['open-state.ts', "import { x } from './backend/redis/redis-backend.js'"],
    ['index.ts', "export { openState } from './open-state.js'"],
    ['testing/engine.ts', "import { x } from '../lock/memory-lock.js'"],
  ])('%s: %s', (path, statement) => {
    expect(verdict(path, statement)).toEqual([]);
  });
});

describe('arrows that are refused', () => {
  it.each([
    ['keys.ts', "import { x } from './lock/lock.js'"],
    ['keys.ts', "import { x } from './open-state.js'"],
    ['codec/codec.ts', "import { x } from '../backend/memory/memory-store.js'"],
    ['lock/lock.ts', "import { x } from '../backend/backend.js'"],
    ['lock/lock.ts', "import type { x } from '../backend/redis/script.js'"],
    ['lock/lock.ts', "import { x } from './memory-lock.js'"],
    ['lock/lock.ts', "import { CachePort } from '../cache/cache-port.js'"],
    ['lock/lock.ts', "import { x } from '../cache/cache.js'"],
    ['lock/lock.ts', "export { x } from '../cache/cache.js'"],
    ['lock/lock.ts', "const x = await import('../cache/cache.js')"],
    ['leader/leader.ts', "import { Lock } from '../lock/lock.js'"],
    ['lock/lock-port.ts', "import type { Backend } from '../backend/backend.js'"],
    ['lock/lock-port.ts', "import type { x } from 'any-package'"],
    ['lock/memory-lock.ts', "import { x } from './lock.js'"],
    ['lock/memory-lock.ts', "import { x } from './redis-lock.js'"],
    ['lock/memory-lock.ts', "import { x } from '../backend/redis/script.js'"],
    ['lock/memory-lock.ts', "import { x } from '../cache/memory-cache.js'"],
    ['lock/redis-lock.ts', "import type { x } from '@redis/client'"],
    ['backend/memory/memory-store.ts', "import type { x } from '../../lock/lock-port.js'"],
    ['backend/redis/script.ts', "import { x } from './redis-backend.js'"],
    ['backend/redis/redis-client.ts', "import { createClient } from '@redis/client'"],
    ['backend/memory/memory-backend.ts', "import { x } from '../../lock/redis-lock.js'"],
    ['backend/memory/memory-backend.ts', "import { x } from '../../lock/lock.js'"],
    ['backend/resilient/circuit.ts', "import { x } from '../../lock/lock-operations.js'"],
    ['open-state.ts', "import { x } from './testing/index.js'"],
    ['open-state.ts', "import { x } from './index.js'"],
    ['index.ts', "export * from './testing/index.js'"],
    ['keys.ts', "import { x } from '../../server/src/main.js'"],
  ])('%s: %s', (path, statement) => {
    expect(verdict(path, statement)).toHaveLength(1);
  });

  it('a folder that is no feature', () => {
    expect(verdict('stuff/thing.ts', '')).toEqual([
      'stuff/thing.ts:1: a folder of src is codec, backend, adapters, testing or a feature with its <name>-port.ts',
    ]);
  });

  it('with the line, the reason and the import', () => {
    const text = "import { a } from '../keys.js';\nimport { b } from './memory-lock.js';\n";
    expect(verdict('lock/lock.ts', text)).toEqual([
      'lock/lock.ts:2: only memory-backend.ts gathers memory twins: ./memory-lock.js',
    ]);
  });

  it('not when they stand in a comment or a string', () => {
    const text = "/** import { b } from './memory-lock.js' */\nexport const x = \"import('./memory-lock.js')\";\n";
    expect(verdict('lock/lock.ts', text)).toEqual([]);
  });
});
