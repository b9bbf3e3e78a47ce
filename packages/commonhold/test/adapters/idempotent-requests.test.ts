import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { eventually } from '../../src/testing/waiting.js';
import { type Handle, onEveryKeyedSite, post, postRaw } from './keyed-sites.js';

/** A handler that counts, and answers with the count. */
function counting(): { readonly handle: Handle; ran: number } {
  const counter: { ran: number; handle: Handle } = {
    ran: 0,
    handle: ({ body }) => {
      counter.ran += 1;
      return { status: 201, headers: { Location: `/charges/${counter.ran}` }, body: `${body} ${counter.ran}` };
    },
  };
  return counter;
}

onEveryKeyedSite((open) => {
  it('runs a request once, and gives its answer again at every site', async () => {
    const web = await open();
    const counter = counting();
    const sites = [await web.site({}, counter.handle), await web.site({}, counter.handle)] as const;
    const first = await post(`${sites[0]}/charges?a=1`, 'key-1', 'ten');
    expect([first.status, first.text, first.replayed]).toEqual([201, 'ten 1', false]);
    expect(first.headers.get('location')).toBe('/charges/1');
    for (const site of sites) {
      const again = await post(`${site}/charges?a=1`, 'key-1', 'ten');
      expect([again.status, again.text, again.replayed]).toEqual([201, 'ten 1', true]);
      expect(again.headers.get('location')).toBe('/charges/1');
      expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'));
      expect(again.headers.get('content-length')).toBe(first.headers.get('content-length'));
    }
    expect((await post(`${sites[0]}/charges?a=1`, 'key-2', 'ten')).text).toBe('ten 2');
    expect(counter.ran).toBe(2);
  });

  it('runs one of a hundred that come at once, and tells the others to come again', async () => {
    const web = await open();
    let ran = 0;
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const handle: Handle = async () => {
      ran += 1;
      await gate;
      return { body: `ran ${ran}` };
    };
    const sites = [await web.site({}, handle), await web.site({}, handle)];
    let refused = 0;
    const asked = Array.from({ length: 100 }, async (_, n) => {
      const got = await post(`${sites[n % 2]}/`, 'key', 'body');
      if (got.status === 409) refused += 1;
      if (refused === 99) go();
      return got;
    });
    const answers = await Promise.all(asked);
    expect(ran).toBe(1);
    const [served] = answers.filter(({ status }) => status === 200);
    expect([served?.text, served?.replayed]).toEqual(['ran 1', false]);
    const busy = answers.filter(({ status }) => status === 409);
    expect(busy).toHaveLength(99);
    expect(busy[0]?.headers.get('retry-after')).toBe('1');
    expect(busy[0]?.headers.get('content-type')).toBe('application/problem+json');
    expect(JSON.parse(busy[0]?.text ?? '')).toMatchObject({ type: 'about:blank', title: 'Conflict', status: 409 });
    expect((await post(`${sites[1]}/`, 'key', 'body')).replayed).toBe(true);
  });

  it('refuses a key that comes back with another body, path, query or method', async () => {
    const web = await open();
    const counter = counting();
    const site = await web.site({}, counter.handle);
    await post(`${site}/a`, 'key', 'ten');
    for (const [path, body, method] of [
      ['/a', 'eleven', 'POST'],
      ['/a', '', 'POST'],
      ['/b', 'ten', 'POST'],
      ['/a?x=1', 'ten', 'POST'],
      ['/a', 'ten', 'PATCH'],
    ] as const) {
      const got = await post(site + path, 'key', body, { method });
      expect([got.status, JSON.parse(got.text)]).toMatchObject([422, { status: 422, type: 'about:blank' }]);
    }
    expect((await post(`${site}/a`, 'key', 'ten')).text).toBe('ten 1');
    expect(counter.ran).toBe(1);
  });

  it('gives nobody the answer to somebody else', async () => {
    const web = await open();
    const counter = counting();
    const site = await web.site({}, counter.handle);
    expect((await post(`${site}/`, 'key', '', { user: 'ada' })).text).toBe(' 1');
    expect((await post(`${site}/`, 'key', '', { user: 'eve' })).text).toBe(' 2');
    expect((await post(`${site}/`, 'key', '', { user: 'ada' })).text).toBe(' 1');
    const other = await web.site({ name: 'other' }, counter.handle);
    expect((await post(`${other}/`, 'key', '', { user: 'ada' })).text).toBe(' 3');
  });

  it('serves requests without a key, and those whose method has none, as if it were not there', async () => {
    const web = await open();
    const counter = counting();
    const site = await web.site({}, ({ run, ...served }) => counter.handle({ ...served, run }));
    expect((await post(`${site}/`, undefined, 'x')).text).toBe('x 1');
    expect((await post(`${site}/`, undefined, 'x')).text).toBe('x 2');
    for (const method of ['GET', 'PUT', 'DELETE']) {
      expect((await post(`${site}/`, 'key', 'x', { method })).status).toBe(201);
      expect((await post(`${site}/`, 'key', 'x', { method })).replayed).toBe(false);
    }
    expect((await fetch(`${site}/`, { method: 'HEAD', headers: { 'Idempotency-Key': 'key' } })).status).toBe(201);
    const put = await web.site({ methods: ['PUT'] }, counter.handle);
    await post(`${put}/`, 'key', 'x', { method: 'PUT' });
    expect((await post(`${put}/`, 'key', 'x', { method: 'PUT' })).replayed).toBe(true);
  });

  it('refuses what is no key, and a request without one where it is required', async () => {
    const web = await open();
    const counter = counting();
    const site = await web.site({ required: true }, counter.handle);
    const missing = await post(`${site}/`, undefined);
    expect([missing.status, missing.headers.get('content-type')]).toEqual([400, 'application/problem+json']);
    for (const key of ['', 'x'.repeat(256), 'a b', '""', '"a', 'a,b', 'a"b', '\u00e4', `"${'x'.repeat(256)}"`]) {
      expect((await post(`${site}/`, key)).status, key).toBe(400);
    }
    expect(await postRaw(`${site}/`, ['a', 'b'])).toBe(400);
    expect(counter.ran).toBe(0);
    expect((await post(`${site}/`, 'x'.repeat(255))).status).toBe(201);
    expect((await post(`${site}/`, '"8e03978e-40d5"')).text).toBe(' 2');
    expect((await post(`${site}/`, '8e03978e-40d5')).text).toBe(' 2');
    expect((await post(`${site}/`, undefined, '', { method: 'GET' })).status).toBe(201);
  });

  it('does not keep an answer that says to try again, and tells the handler which attempt it is', async () => {
    const web = await open();
    let status = 503;
    const site = await web.site({}, ({ run }) => ({ status, body: `attempt ${run?.attempt} of ${run?.key}` }));
    expect([(await post(`${site}/`, 'key')).text, status]).toEqual(['attempt 1 of key', 503]);
    status = 429;
    expect([(await post(`${site}/`, 'key')).text, status]).toEqual(['attempt 2 of key', 429]);
    expect((await post(`${site}/`, 'key', 'another body')).status).toBe(422);
    status = 404;
    const kept = await post(`${site}/`, 'key');
    expect([kept.status, kept.text, kept.replayed]).toEqual([404, 'attempt 3 of key', false]);
    status = 200;
    const again = await post(`${site}/`, 'key');
    expect([again.status, again.text, again.replayed]).toEqual([404, 'attempt 3 of key', true]);
  });

  it('does not keep the answer to a handler that failed', async () => {
    const web = await open();
    let ran = 0;
    const site = await web.site({}, () => {
      ran += 1;
      if (ran === 1) throw new Error('no');
      return { body: 'done' };
    });
    expect((await post(`${site}/`, 'key')).status).toBe(500);
    expect((await post(`${site}/`, 'key')).text).toBe('done');
    expect((await post(`${site}/`, 'key')).replayed).toBe(true);
  });

  it('keeps what the option says', async () => {
    const web = await open();
    const counter = counting();
    const site = await web.site({ keep: (status) => status !== 201 }, counter.handle);
    await post(`${site}/`, 'key');
    expect((await post(`${site}/`, 'key')).text).toBe(' 2');
  });

  it('keeps answers for a day, by default, and for as long as is said', async () => {
    const web = await open();
    const counter = counting();
    const [site, short] = [
      await web.site({}, counter.handle),
      await web.site({ ttl: '1m', name: 's' }, counter.handle),
    ];
    await post(`${site}/`, 'key');
    await post(`${short}/`, 'key');
    await web.engine.advance(61_000);
    expect((await post(`${short}/`, 'key', 'another body')).text).toBe('another body 3');
    await web.engine.advance(23 * 3_600_000);
    expect((await post(`${site}/`, 'key')).replayed).toBe(true);
    await web.engine.advance(3_600_000);
    expect((await post(`${site}/`, 'key')).text).toBe(' 4');
  });

  it('keeps no cookie unless it is named, and headers that are', async () => {
    const web = await open();
    const headers = { 'Set-Cookie': ['a=1', 'b=2'], 'X-Cost': '5', ETag: '"e"', Link: '</a>; rel=next' };
    const site = await web.site({}, () => ({ headers }));
    await post(`${site}/`, 'key');
    const plain = await post(`${site}/`, 'key');
    expect(plain.headers.getSetCookie()).toEqual([]);
    expect([plain.headers.get('x-cost'), plain.headers.get('etag')]).toEqual([null, '"e"']);
    const named = await web.site({ headers: ['Set-Cookie', 'x-cost'], name: 'named' }, () => ({ headers }));
    await post(`${named}/`, 'key');
    const kept = await post(`${named}/`, 'key');
    expect(kept.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(kept.headers.get('x-cost')).toBe('5');
  });

  it('keeps empty answers, bytes and streams', async () => {
    const web = await open();
    const bytes = Buffer.from([0, 255, 128, 10, 13]);
    const bodies: Readonly<Record<string, () => string | Buffer | Readable | undefined>> = {
      '/empty': () => undefined,
      '/bytes': () => bytes,
      '/stream': () => Readable.from([Buffer.from('a'), bytes, Buffer.from('\u00e4b')]),
      '/large': () => 'abc \u00e4'.repeat(30_000),
    };
    const site = await web.site({}, ({ url }) => {
      const body = bodies[url]?.();
      return { status: url === '/empty' ? 204 : 200, ...(body === undefined ? {} : { body }) };
    });
    for (const path of Object.keys(bodies)) {
      const first = await post(site + path, path, 'x');
      const again = await post(site + path, path, 'x');
      expect([again.status, again.replayed]).toEqual([first.status, true]);
      expect(again.text).toBe(first.text);
    }
    const raw = await fetch(`${site}/bytes`, {
      method: 'POST',
      body: 'x',
      headers: { 'Idempotency-Key': '/bytes', 'Content-Type': 'text/plain' },
    });
    expect(Buffer.from(await raw.arrayBuffer())).toEqual(bytes);
  });

  it('sends what is too large to be kept whole, runs it once all the same, and says that it is gone', async () => {
    const web = await open();
    let ran = 0;
    const site = await web.site({ maxAnswerBytes: 1_000 }, ({ url }) => {
      ran += 1;
      const parts = Array.from({ length: 40 }, (_, n) => Buffer.alloc(100, `${n % 10}`));
      return { status: 201, body: url === '/stream' ? Readable.from(parts) : Buffer.concat(parts) };
    });
    for (const path of ['/stream', '/bytes']) {
      const first = await post(site + path, path);
      expect([first.status, first.text.length, first.text.slice(-3)]).toEqual([201, 4_000, '999']);
      await eventually(async () => {
        const again = await post(site + path, path);
        expect([again.status, JSON.parse(again.text)]).toMatchObject([410, { status: 410, 'answered-status': 201 }]);
      });
      expect((await post(site + path, path, 'another')).status).toBe(422);
    }
    expect(ran).toBe(2);
    const fits = await web.site({ maxAnswerBytes: 4_000, name: 'fits' }, () => ({ body: Buffer.alloc(4_000, 'x') }));
    await post(fits, 'key');
    expect((await post(fits, 'key')).replayed).toBe(true);
  });

  it('does not keep a stream that failed', async () => {
    const web = await open();
    let ran = 0;
    const site = await web.site({}, () => {
      ran += 1;
      if (ran > 1) return { body: 'whole' };
      return {
        body: Readable.from(
          (function* () {
            yield Buffer.from('part');
            throw new Error('no');
          })(),
        ),
      };
    });
    await post(`${site}/`, 'key').catch(() => undefined);
    await eventually(async () => expect((await post(`${site}/`, 'key')).text).toBe('whole'));
  });

  it('goes on for a client that went away, and has the answer when it comes back', async () => {
    const web = await open();
    let ran = 0;
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const site = await web.site({}, async () => {
      ran += 1;
      await gate;
      return { body: 'done' };
    });
    const leaving = new AbortController();
    const first = post(`${site}/`, 'key', 'x', { signal: leaving.signal }).catch(() => 'left');
    await eventually(() => expect(ran).toBe(1));
    leaving.abort();
    expect(await first).toBe('left');
    expect((await post(`${site}/`, 'key', 'x')).status).toBe(409);
    go();
    await eventually(async () => {
      const again = await post(`${site}/`, 'key', 'x');
      expect([again.text, again.replayed]).toEqual(['done', true]);
    });
    expect(ran).toBe(1);
  });

  it('takes what stands for the body from the option', async () => {
    const web = await open();
    const counter = counting();
    const site = await web.site({ fingerprint: async ({ headers }) => String(headers['x-user']) }, counter.handle);
    const scope = { user: 'ada' };
    expect((await post(`${site}/`, 'key', 'one', scope)).text).toBe('one 1');
    expect((await post(`${site}/`, 'key', 'two', scope)).text).toBe('one 1');
  });
});
