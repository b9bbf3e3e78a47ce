import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Client, expectProblem, form } from '../client.js';
import { sharedPlatform } from '../platform.js';
import { blankPng } from '../recognition/made-images.js';
import { PHOTOTEST } from '../recognition/samples.js';

describe('an upload that is sent again with its Idempotency-Key', () => {
  const platform = sharedPlatform();
  let client: Client;
  let image: Buffer;
  beforeAll(async () => {
    client = await platform().signedIn();
    image = await readFile(PHOTOTEST);
  });

  const send = (key: string, body: FormData, by: Client = client): Promise<Answer> =>
    by.request('POST', '/tasks', { body, headers: { 'idempotency-key': key } });

  it('is one task', async () => {
    const first = await send('one', form(image));
    expect(first.status).toBe(202);
    const again = await send('one', form(image));
    expect([again.status, again.json]).toEqual([202, first.json]);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect((await send('two', form(image))).json['task_id']).not.toBe(first.json['task_id']);
    const { json } = await client.get('/tasks');
    expect(json['tasks']).toHaveLength(2);
  });

  it('is refused with another priority or file, and to a stranger', async () => {
    await send('key', form(image));
    expectProblem(await send('key', form(image, { priority: '9' })), 422, /another request/);
    expectProblem(await send('key', form(blankPng(40, 40))), 422, /another request/);
    expectProblem(await send('key', form(image), platform().client()), 401, /Invalid session/);
    const other = await platform().signedIn('other@example.com');
    expect((await send('key', form(image), other)).headers.get('idempotent-replayed')).toBeNull();
  });

  it('may come many times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => send('many', form(image))));
    const ids = new Set(answers.filter(({ status }) => status === 202).map(({ json }) => json['task_id']));
    expect(ids.size).toBe(1);
    for (const { status } of answers) expect([202, 409]).toContain(status);
    // None of the files that came in vain is left.
    const incoming = join(platform().dataDirectory, 'ocr', 'incoming');
    await expect.poll(() => readdir(incoming)).toEqual([]);
  });
});
