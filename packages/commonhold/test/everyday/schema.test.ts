import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  type Cache,
  type Channel,
  createMemoryStore,
  InvalidValueError,
  openState,
  type Queue,
  type RunOnce,
  type Sessions,
  type SharedMap,
  type SharedState,
} from '../../src/index.js';

const pageSchema = z.object({ title: z.string().trim(), views: z.number().default(0), at: z.coerce.date() });
interface Page {
  title: string;
  views: number;
  at: Date;
}
const at = new Date(5);

async function withState(body: (state: SharedState) => Promise<void>): Promise<void> {
  await using state = await openState({ memory: createMemoryStore() });
  await body(state);
}

describe('schemas of zod', () => {
  it('give the types of everything that is opened with them', () =>
    withState(async (state) => {
      expectTypeOf(state.cache('c1', { schema: pageSchema })).toEqualTypeOf<Cache<Page>>();
      expectTypeOf(state.map('m1', { schema: pageSchema, ttl: '1h' })).toEqualTypeOf<SharedMap<Page>>();
      expectTypeOf(state.channel('ch1', { schema: pageSchema })).toEqualTypeOf<Channel<Page>>();
      expectTypeOf(state.runOnce('r1', { schema: pageSchema })).toEqualTypeOf<RunOnce<Page>>();
      expectTypeOf(state.queue('q1', { schema: pageSchema })).toEqualTypeOf<Queue<Page>>();
      expectTypeOf(state.queue('q2', { schema: pageSchema, resultSchema: z.number() })).toEqualTypeOf<
        Queue<Page, number>
      >();
      expectTypeOf(state.sessions('s1', { schema: { page: pageSchema, visits: z.number() } })).toEqualTypeOf<
        Sessions<{ page: Page; visits: number }>
      >();
      expectTypeOf(state.sessions('s2', { schema: z.object({ visits: z.number() }).shape })).toEqualTypeOf<
        Sessions<{ visits: number }>
      >();
      // Types that are given hold, and schemas must fit them.
      expectTypeOf(state.cache<Page>('c2', { schema: pageSchema })).toEqualTypeOf<Cache<Page>>();
      expectTypeOf(state.cache<Page>('c3')).toEqualTypeOf<Cache<Page>>();
      expectTypeOf(state.cache('c4', { ttl: '1h' })).toEqualTypeOf<Cache<unknown>>();
      expectTypeOf(state.sessions('s3')).toEqualTypeOf<Sessions<Record<string, unknown>>>();
      // @ts-expect-error -- the schema gives something else.
      state.cache<Page>('c5', { schema: z.string() });
      // @ts-expect-error -- a schema of each field, not of all together.
      expect(() => state.sessions('s4', { schema: z.object({ visits: z.number() }) })).toThrow(
        /a schema for each field/,
      );
    }));

  it('fill in, trim and leave out; what is read is what was given back when it was written', () =>
    withState(async (state) => {
      const pages = state.cache('pages', { schema: pageSchema });
      const given = { title: ' Home ', at, admin: true } as unknown as Page;
      const page = { title: 'Home', views: 0, at };
      expect(await pages.getOrSet('home', () => given)).toEqual(page);
      expect(await pages.get('home')).toEqual(page);
      expect(await state.map('map', { schema: pageSchema }).update('home', () => given)).toEqual(page);
    }));

  it('refuse with paths and their own words, of which the message quotes none', () =>
    withState(async (state) => {
      const map = state.map('m', { schema: z.object({ user: z.object({ email: z.email('hunter2') }) }) });
      const refused = map.set('ada', { user: { email: 'hunter2' } });
      await expect(refused).rejects.toBeInstanceOf(InvalidValueError);
      await expect(refused).rejects.toThrow('A value of map m, key ada, does not fit its schema, at user.email');
      await expect(refused).rejects.toMatchObject({ issues: [{ path: 'user.email', message: 'hunter2' }] });
      await refused.catch(async (error: unknown) => {
        const { inspect } = await import('node:util');
        expect(inspect(error)).not.toContain('hunter2');
      });
    }));

  it('name three places at most', () =>
    withState(async (state) => {
      const map = state.map('m', { schema: z.record(z.string(), z.number()) });
      const value = { a: 'x', b: 'x', c: 'x', d: 'x', e: 'x' } as unknown as Record<string, number>;
      await expect(map.set('k', value)).rejects.toThrow(/at a, b, c and 2 more$/);
    }));

  it('that answer later are refused', () =>
    withState(async (state) => {
      const map = state.map('m', { schema: z.string().refine(async (text) => text !== 'x') });
      await expect(map.set('k', 'y')).rejects.toMatchObject({ code: 'InvalidArgument' });
    }));
});
