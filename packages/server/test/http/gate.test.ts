import { describe, expect, it, onTestFinished } from 'vitest';
import { Gate } from '../../src/http/gate.js';
import { answerClientError } from '../../src/http/raw-problem.js';
import { ask, exchange, openConnection, serve } from '../serving.js';
import { tinySystem } from '../tiny-system.js';

async function openGate(): Promise<{ gate: Gate; url: string }> {
  const gate = new Gate();
  gate.factory((_request, response) => response.end('served'));
  gate.server.on('clientError', answerClientError);
  await gate.listen('127.0.0.1', 0);
  onTestFinished(() => {
    gate.stopListening();
    return gate.endConnections();
  });
  const { host, port } = gate.address();
  return { gate, url: `http://${host}:${port}` };
}

describe('Gate', () => {
  it('has requests wait until it is opened', async () => {
    const { gate, url } = await openGate();
    let answered = 0;
    const early = [ask(url), ask(url)].map(async (asked) => {
      const { text } = await asked;
      answered += 1;
      return text;
    });
    await exchange(url, 'nonsense\r\n\r\n');
    expect(answered).toBe(0);
    gate.open();
    expect(await Promise.all(early)).toEqual(['served', 'served']);
    expect((await ask(url)).text).toBe('served');
  });

  it('says what to do about a port that is taken', async () => {
    const { gate } = await openGate();
    const { port } = gate.address();
    const other = new Gate();
    await expect(other.listen('127.0.0.1', port)).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is taken. Stop what uses it, or choose another: PORT=${port + 1} npm start`,
    );
  });

  it.each(['192.0.2.1', 'no-such-host.invalid'])('says what to do about the host %s', async (host) => {
    await expect(new Gate().listen(host, 0)).rejects.toThrow(
      /^HOST=\S+ is not an address of this machine|^Cannot listen/,
    );
  });

  it('cuts off who sends headers byte by byte, and serves others meanwhile', async () => {
    const { gate, url } = await openGate();
    gate.open();
    gate.server.headersTimeout = 500;
    const slow = await openConnection(url);
    const closed = new Promise((resolve) => slow.once('close', resolve));
    let received = '';
    slow.setEncoding('latin1').on('data', (text: string) => (received += text));
    slow.on('error', () => undefined);
    slow.write('GET / HTTP/1.1\r\n');
    const drip = setInterval(() => slow.write('a'), 100);
    onTestFinished(() => clearInterval(drip));
    expect((await ask(url)).text).toBe('served');
    await closed;
    expect(received).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\nContent-Type: application\/problem\+json/);
  });

  it.each([
    ['what is not HTTP', 'nonsense\r\n\r\n', 400],
    ['headers that are too large', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`, 431],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
  ])('answers %s with a problem', async (_name, text, status) => {
    const { url } = await serve([tinySystem()]);
    const answer = await exchange(url, text);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    const body = JSON.parse(answer.split('\r\n\r\n')[1] ?? '') as unknown;
    expect(body).toMatchObject({ type: 'about:blank', status });
  });
});
