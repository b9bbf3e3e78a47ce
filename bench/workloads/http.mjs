import { fork } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { connect } from 'node:net';

/** @typedef {import('../harness.mjs').Place} Place */

/** Asks over one connection, again and again, until told to stop; no client library would keep up. */
class Lane {
  answers = 0;
  /** @type {import('node:net').Socket} */
  #socket;
  #going = true;

  constructor(/** @type {number} */ port, /** @type {string} */ cookie) {
    const request = `GET / HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n\r\n`;
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setNoDelay(true);
    this.#socket.on('error', () => {});
    // An answer is a few hundred bytes, which arrive as one.
    this.#socket.on('data', () => {
      this.answers += 1;
      if (this.#going) this.#socket.write(request);
    });
    this.#socket.write(request);
  }

  stop() {
    this.#going = false;
    this.#socket.end();
  }
}

async function cookieOf(/** @type {number} */ port) {
  const [response] = await once(get({ port, host: '127.0.0.1' }), 'response');
  response.resume();
  return String(response.headers['set-cookie']?.[0]).replace(/;.*/, '');
}

function serverOf(/** @type {string} */ name) {
  return async (/** @type {Place} */ { url }) => {
    const child = fork(new URL('../http-server.mjs', import.meta.url), [name, url]);
    const [port] = await once(child, 'message');
    const cookies = await Promise.all(Array.from({ length: 50 }, () => cookieOf(port)));
    return { port, cookies, close: () => child.disconnect() };
  };
}

async function requests(
  /** @type {{ port: number, cookies: string[] }} */ { port, cookies },
  /** @type {Place} */ { args },
) {
  const lanes = cookies.map((cookie) => new Lane(port, cookie));
  const answers = () => lanes.reduce((sum, lane) => sum + lane.answers, 0);
  // All of them are connected then.
  const byMs = performance.now() + 10_000;
  while (lanes.some((lane) => lane.answers === 0)) {
    if (performance.now() > byMs) throw new Error(`A server on port ${port} does not answer.`);
    await pause(5);
  }
  const before = answers();
  const startedAtMs = performance.now();
  await pause(3 * args.sampleMs);
  const rate = ((answers() - before) * 1000) / (performance.now() - startedAtMs);
  for (const lane of lanes) lane.stop();
  return rate;
}

function pause(/** @type {number} */ ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** @type {import('../harness.mjs').Workload} */
export default {
  title: 'session over HTTP',
  lines: [{ title: '50 connections, a changed field each', unit: 'requests/s', goal: '>= 1.7', sample: requests }],
  ours: { commonhold: serverOf('commonhold') },
  peers: { 'express-session + connect-redis': serverOf('express-session') },
};
