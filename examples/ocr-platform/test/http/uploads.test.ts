import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Client, expectProblem, form } from '../client.js';
import { sharedPlatform } from '../platform.js';
import { blankPng, claimingTiff } from '../recognition/made-images.js';
import { PHOTOTEST } from '../recognition/samples.js';

describe('an upload that is refused', () => {
  const platform = sharedPlatform();
  let client: Client;
  let image: Buffer;
  beforeAll(async () => {
    client = await platform().signedIn();
    image = await readFile(PHOTOTEST);
  });

  const send = (body: FormData): Promise<Answer> => client.request('POST', '/tasks', { body });

  it.each([
    ['0 bytes', () => Buffer.alloc(0), 415, /empty/],
    ['text', () => Buffer.from('hello'), 415, /not an image/],
    ['a GIF', () => Buffer.from('GIF89a......'), 415, /GIF/],
    ['a truncated image', () => image.subarray(0, image.length / 2), 422, /cut short or corrupt/],
    ['a decompression bomb', () => blankPng(30_000, 30_000), 422, /million pixels/],
    ['a TIFF of 200 pages', () => claimingTiff(200, 100, 100), 422, /200 pages/],
    ['21 MB', () => randomBytes(21_000_000), 413, /20 MB/],
  ])('%s', async (_name, bytes, status, detail) => {
    expectProblem(await send(form(bytes())), status, detail);
  });

  it('21 MB whose length nobody told', async () => {
    const boundary = 'x';
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n`;
    const megabytes = Array.from({ length: 30 }, () => Buffer.alloc(1_000_000));
    const parts = [Buffer.from(head), ...megabytes, Buffer.from(`\r\n--${boundary}--\r\n`)];
    const body = new ReadableStream<Uint8Array>({
      pull(controller): void {
        const part = parts.shift();
        if (part === undefined) controller.close();
        else controller.enqueue(part);
      },
    });
    const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
    const init = { body, headers, duplex: 'half' } as RequestInit;
    expectProblem(await client.request('POST', '/tasks', init), 413, /20 MB/);
  });

  it.each(['11', '-1', '1.5', 'high', '', '1e1', '٣'])('a priority of "%s"', async (priority) => {
    expectProblem(await send(form(image, { priority })), 422, /"priority" must be a whole number from 0 to 10/);
  });

  it.each([
    ['another field for the file', () => form(image, {}, 'image'), /Unexpected field "image".*in the field "file"/],
    ['another field beside it', () => form(image, { prio: '3' }), /Unexpected field "prio".*in the field "file"/],
    ['no file', () => noFile(), /No file came.*in the field "file"/],
    ['text in the place of the file', () => textForFile(), /Unexpected field "file"|No file came/],
    ['two files', () => twoFiles(image), /one file/],
    ['twenty fields', () => manyFields(), /fields|field/],
  ])('%s', async (_name, body, detail) => {
    expectProblem(await send(body()), 422, detail);
  });

  it('a body that is no form, or a broken one', async () => {
    const as = (type: string, body: string): Promise<Answer> =>
      client.request('POST', '/tasks', { headers: { 'content-type': type }, body });
    expectProblem(await as('application/json', '{}'), 415, /multipart/);
    expectProblem(await as('image/png', 'png'), 415, /./);
    expectProblem(await as('multipart/form-data', 'x'), 400, /form cannot be read/);
    expectProblem(await as('multipart/form-data; boundary=x', '--x\r\nbroken'), 400, /form cannot be read/);
  });

  it('one without a session, before its body is read', async () => {
    const stranger = platform().client();
    expectProblem(await stranger.request('POST', '/tasks', { body: form(image) }), 401, /^Invalid session$/);
  });

  it('one whose client goes away in the middle', async () => {
    const { hostname, port } = new URL(platform().url);
    const socket = connect(Number(port), hostname);
    const lines = [
      'POST /tasks HTTP/1.1',
      'Host: a',
      `Authorization: Bearer ${client.token}`,
      'Content-Type: multipart/form-data; boundary=x',
      'Content-Length: 100000',
      '',
      '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nII*',
    ];
    socket.write(lines.join('\r\n'));
    const incoming = join(platform().dataDirectory, 'ocr', 'incoming');
    await expect.poll(() => readdir(incoming)).toHaveLength(1);
    socket.destroy();
    await expect.poll(() => readdir(incoming)).toEqual([]);
  });

  it('leaves nothing behind: no task, no file, and a connection that goes on', async () => {
    expect((await client.get('/tasks')).json).toEqual({ tasks: [], cursor: null });
    const directory = join(platform().dataDirectory, 'ocr');
    expect(await readdir(join(directory, 'incoming'))).toEqual([]);
    expect(await readdir(join(directory, 'files'))).toEqual([]);
  });
});

function noFile(): FormData {
  const data = new FormData();
  data.append('priority', '5');
  return data;
}

function textForFile(): FormData {
  const data = new FormData();
  data.append('file', 'text');
  return data;
}

function twoFiles(image: Buffer): FormData {
  const data = form(image);
  data.append('file', new Blob([new Uint8Array(image)]), 'second');
  return data;
}

function manyFields(): FormData {
  const data = new FormData();
  for (let count = 0; count < 20; count++) data.append('priority', '5');
  return data;
}
