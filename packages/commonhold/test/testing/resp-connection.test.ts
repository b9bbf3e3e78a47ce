import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../src/testing/free-port.js';
import { RespConnection, type RespReply } from '../../src/testing/resp-connection.js';

let port: number;
let server: Server;
let connection: RespConnection;
let peer: Socket;
let received = '';

beforeEach(async () => {
  received = '';
  port = await freePort();
  server = createServer((socket) => {
    peer = socket.setNoDelay().on('data', (chunk) => (received += chunk.toString('latin1')));
    peer.on('error', () => {});
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  connection = await RespConnection.open(port);
  await accepted;
});

afterEach(async () => {
  await connection.close();
  server.close();
});

const replies: readonly [string, string, RespReply][] = [
  ['a simple string', '+OK\r\n', 'OK'],
  ['an integer', ':-42\r\n', -42],
  ['a bulk string', '$7\r\na\r\nbäc\r\n', 'a\r\nbäc'],
  ['an empty bulk string', '$0\r\n\r\n', ''],
  ['no bulk string', '$-1\r\n', null],
  ['no array', '*-1\r\n', null],
  ['an empty array', '*0\r\n', []],
  ['a nested array', '*3\r\n:1\r\n*2\r\n$1\r\nx\r\n+y\r\n$-1\r\n', [1, ['x', 'y'], null]],
];

describe('replies', () => {
  it.each(replies)('reads %s, whole and byte by byte', async (_name, wire, reply) => {
    const whole = connection.send('X');
    peer.write(wire);
    expect(await whole).toEqual(reply);
    const split = connection.send('X');
    for (const byte of Buffer.from(wire)) {
      peer.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await split).toEqual(reply);
  });

  it('rejects with the text of an error, and keeps one inside an array as a value', async () => {
    const failed = connection.send('X');
    peer.write('-ERR no such thing\r\n');
    await expect(failed).rejects.toThrow(/^ERR no such thing$/);
    const array = connection.send('X');
    peer.write('*2\r\n-ERR inside\r\n:1\r\n');
    expect(await array).toEqual([new Error('ERR inside'), 1]);
  });

  it('go to the commands in order, and to onUnsolicited when nobody asked', async () => {
    const unsolicited: RespReply[] = [];
    connection.onUnsolicited = (reply) => void unsolicited.push(reply);
    const both = Promise.all([connection.send('A'), connection.send('B')]);
    peer.write(':1\r\n:2\r\n:3\r\n');
    expect(await both).toEqual([1, 2]);
    await expect.poll(() => unsolicited).toEqual([3]);
  });
});

describe('commands', () => {
  it('are arrays of bulk strings, measured in bytes; bytes go as they are', async () => {
    const sent = connection.send('SET', 'ä', 12, Buffer.of(0xff, 0x00));
    const wire = '*4\r\n$3\r\nSET\r\n$2\r\n\xc3\xa4\r\n$2\r\n12\r\n$2\r\n\xff\x00\r\n';
    await expect.poll(() => received).toBe(wire);
    peer.write('+OK\r\n');
    await sent;
  });
});

describe('a connection that closes', () => {
  it('rejects what is unanswered, and what comes after', async () => {
    const unanswered = connection.send('A');
    peer.resetAndDestroy();
    await expect(unanswered).rejects.toThrow('closed');
    await connection.closed;
    await expect(connection.send('B')).rejects.toThrow('closed');
  });

  it('closes on close()', async () => {
    const unanswered = connection.send('A');
    const rejected = expect(unanswered).rejects.toThrow('closed');
    await connection.close();
    await rejected;
  });

  it('closes when the other side does not speak RESP', async () => {
    const unanswered = connection.send('A');
    peer.write('HTTP/1.1 400 Bad Request\r\n');
    await expect(unanswered).rejects.toMatchObject({
      cause: { message: expect.stringContaining('not a RESP2 reply') },
    });
  });

  it('cannot be opened where nothing listens', async () => {
    const gone = once(server, 'close');
    server.close();
    await connection.close();
    await gone;
    await expect(RespConnection.open(port)).rejects.toThrow('ECONNREFUSED');
  });
});
