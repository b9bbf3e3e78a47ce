import { describe, expect, it } from 'vitest';
import { closePorts } from '../../src/backend/closed-ports.js';
import { createMemoryBackend } from '../../src/backend/memory/memory-backend.js';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import { createKeys } from '../../src/keys.js';

type Port = Record<string, (...args: unknown[]) => Promise<unknown>>;

function methods(port: object): string[] {
  return Object.getOwnPropertyNames(Object.getPrototypeOf(port)).filter((name) => name !== 'constructor');
}

describe('closePorts', () => {
  it('has every method of every feature reject with Closed, whatever it is given', async () => {
    const { ports } = createMemoryBackend(createMemoryStore(), createKeys('test'), true);
    closePorts(ports);
    for (const [feature, port] of Object.entries(ports) as [string, Port][]) {
      expect(methods(port).length).toBeGreaterThan(0);
      for (const name of methods(port)) {
        const outcome = await port[name]?.().catch((error: { code: string }) => error.code);
        expect([feature, name, outcome]).toEqual([feature, name, 'Closed']);
      }
    }
  });

  it('closes the one state only: others on the same store go on', async () => {
    const store = createMemoryStore();
    const [one, two] = [
      createMemoryBackend(store, createKeys('t'), false),
      createMemoryBackend(store, createKeys('t'), false),
    ];
    closePorts(one.ports);
    await two.ports.cache.set('c', 'k', 'v', undefined);
    expect(await two.ports.cache.get('c', 'k')).toBe('v');
    await expect(one.ports.cache.get('c', 'k')).rejects.toMatchObject({ code: 'Closed' });
  });

  it('closes ports that are plain objects of functions too', async () => {
    const cache = { get: () => Promise.resolve('open'), note: 'not a method' };
    closePorts({ cache });
    await expect(cache.get()).rejects.toMatchObject({ code: 'Closed' });
    expect(cache.note).toBe('not a method');
    closePorts({ cache });
  });
});
