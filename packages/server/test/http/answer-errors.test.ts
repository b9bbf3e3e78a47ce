import { describe, expect, it } from 'vitest';
import { ask, type Answer, exchange, LogLines, post, serve } from '../serving.js';
import { canary, tinySystem } from '../tiny-system.js';

async function tiny(): Promise<{ root: string; log: LogLines }> {
  const log = new LogLines();
  const { url } = await serve([tinySystem()], { logStream: log });
  return { root: `${url}/tiny`, log };
}

function expectProblem(answer: Answer, status: number, detail: string | RegExp): void {
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(Object.keys(answer.json).slice(0, 4)).toEqual(['type', 'title', 'status', 'detail']);
  expect(answer).toMatchObject({ status, json: { status, detail: expect.stringMatching(detail) as string } });
}

describe('what a client gets wrong', () => {
  const asJson = { 'content-type': 'application/json' };

  it.each([
    ['an unknown path', '/nowhere?token=x', {}, 404, /^There is nothing at GET \/tiny\/nowhere\.$/],
    ['another method', '/count', { method: 'DELETE' }, 404, /^There is nothing at DELETE \/tiny\/count\.$/],
    ['no JSON', '/person', { method: 'POST', body: '{', headers: asJson }, 400, /JSON/],
    ['an empty body', '/person', { method: 'POST', headers: asJson }, 400, /empty/],
    ['a body that pollutes', '/person', { method: 'POST', body: '{"__proto__":1}', headers: asJson }, 400, /JSON/],
    [
      'another media type',
      '/person',
      { method: 'POST', body: '<a/>', headers: { 'content-type': 'text/xml' } },
      415,
      /./,
    ],
    ['plain text', '/person', { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } }, 415, /./],
    ['no media type', '/person', { method: 'POST', body: new Uint8Array([1]) }, 415, /./],
    [
      'too large a body',
      '/person',
      { method: 'POST', body: `"${'x'.repeat(2 ** 20)}"`, headers: asJson },
      413,
      /large/,
    ],
    [
      'a missing field',
      '/person',
      { method: 'POST', body: '{}', headers: asJson },
      422,
      /^body: expected the property "name"$/,
    ],
    ['a wrong path part', '/person/old', {}, 400, /^params\.age: expected an integer, received a string$/],
    ['an argument the library refuses', '/refused', {}, 422, /received ""/],
    ['a part of a path that is too long', `/person/${'1'.repeat(500)}`, {}, 414, /./],
  ])('%s', async (_name, path, init, status, detail) => {
    const { root } = await tiny();
    expectProblem(await ask(`${root}${path}`, init), status, detail);
  });

  it('an expectation that nobody can meet', async () => {
    const { root } = await tiny();
    const text = await exchange(root, 'GET /tiny HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 417 [^]*application\/problem\+json[^]*"status":417/);
  });

  it('8 MB of JSON, whose sender always sees the answer', async () => {
    const { root } = await tiny();
    const body = `"${'x'.repeat(8 * 2 ** 20)}"`;
    for (let n = 0; n < 20; n++) {
      expectProblem(await ask(`${root}/person`, { method: 'POST', body, headers: asJson }), 413, /large/);
    }
  });

  it('a path that cannot be decoded', async () => {
    const { root } = await tiny();
    const text = await exchange(root, 'GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('content-type: application/problem+json');
  });

  it('turns the text of a path into the number that its schema asks for', async () => {
    const { root } = await tiny();
    expect((await ask(`${root}/person/42`)).json).toEqual({ age: 42 });
  });

  it('is not answered with a 500, whatever the bytes', async () => {
    const { root } = await tiny();
    const bodies = [
      'null',
      '[]',
      '""',
      '1',
      '{"name":null}',
      '{"name":"ab","tags":[{}]}',
      '\u0000',
      '{"name":"\\ud800x"}',
    ];
    for (const body of bodies) {
      const { status } = await ask(`${root}/person`, { method: 'POST', body, headers: asJson });
      expect(status, body).toBeLessThan(500);
    }
  });
});

describe('what we get wrong', () => {
  it('is a 500 that tells the log from the client', async () => {
    const { root, log } = await tiny();
    const answer = await ask(`${root}/throw`);
    const id = String(answer.json['request_id']);
    expectProblem(answer, 500, `The log has it under ${id}.`);
    expect(answer.text).not.toContain(canary);
    expect(answer.text).not.toContain('.ts:');
    const [record] = log.records().filter(({ msg }) => msg === 'request failed');
    expect(record).toMatchObject({ reqId: id, route: '/tiny/throw', err: { message: `with ${canary} inside` } });
  });

  it('has an id of its own for each request', async () => {
    const { root } = await tiny();
    const ids = await Promise.all([ask(`${root}/throw`), ask(`${root}/throw`)]);
    expect(new Set(ids.map(({ json }) => json['request_id'])).size).toBe(2);
  });
});

describe('a system', () => {
  it('refuses with its own problems', async () => {
    const { url } = await serve([tinySystem()]);
    const answer = await post(`${url}/socket.io/?transport=polling`);
    expectProblem(answer, 400, /WebSocket alone/);
  });
});
