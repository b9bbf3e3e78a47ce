/** The servers of workloads/http.mjs, one a process: `node http-server.mjs <commonhold|express-session> <url of a Redis>`. */
import { createServer } from 'node:http';
import process from 'node:process';
import { cookieSessions } from 'commonhold/http';
import { RedisStore } from 'connect-redis';
import expressSession from 'express-session';
import { nodeRedis, stateOn } from './clients.mjs';

const [name, url = ''] = process.argv.slice(2);
const place = /** @type {import('./harness.mjs').Place} */ ({ url });

async function commonhold() {
  const state = await stateOn(place);
  const openSession = cookieSessions(state.sessions('http', { idle: '30m', absolute: '7d' }));
  /** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
  async function answer(request, response) {
    const session = await openSession(request, response);
    await session.set({ visits: (Number(session.data.visits) || 0) + 1 });
    response.end('ok');
  }
  return createServer((request, response) => void answer(request, response));
}

/** @param {any} request @param {import('node:http').ServerResponse} response */
function visit({ session }, response) {
  session.visits = (session.visits ?? 0) + 1;
  response.end('ok');
}

async function express() {
  const client = await nodeRedis(place, false);
  const store = new RedisStore({ client: /** @type {any} */ (client) });
  const open = expressSession({ store, secret: 'keyboard cat', resave: false, saveUninitialized: false });
  return createServer((request, response) => open(request, response, () => visit(request, response)));
}

const server = await (name === 'commonhold' ? commonhold() : express());
server.listen(0, '127.0.0.1', () => process.send?.(/** @type {any} */ (server.address()).port));
process.on('disconnect', () => process.exit());
