import { join } from 'node:path';
import process from 'node:process';
import { startNginx } from './start-nginx.mjs';
import { startRedis } from './start-redis.mjs';
import { answers, onFreePort, root, Started, until } from './started.mjs';

/**
 * What to start.
 * @typedef {object} TopologyOptions
 * @property {readonly string[]} [systems] packages such as `@commonhold/rose-tracker`; default all that are installed
 * @property {number} [servers] how many state servers, default 3
 * @property {Readonly<Record<string, string>>} [env] more variables for the servers
 */

/**
 * Processes that work together as they do in production.
 * @typedef {object} Topology
 * @property {string} url where nginx answers
 * @property {readonly { readonly url: string, readonly process: import('./process-group.mjs').GroupProcess }[]} servers
 * @property {string} redisUrl with the password of the servers' user
 * @property {string} operatorUrl the same Redis, for the user who may do everything
 * @property {string} directory holds logs and data; removed by `stop`
 * @property {() => Promise<void>} stop ends all of it, and leaves nothing behind
 */

/** What node runs: the state server as it is, or one of some systems alone. */
function serverProgram(/** @type {readonly string[] | undefined} */ systems) {
  if (systems === undefined) return [join(root, 'packages/server/dist/main.js')];
  const imports = systems.map((name, index) => `import { system as s${index} } from '${name}';`);
  const list = systems.map((_name, index) => `s${index}`).join(', ');
  const lines = ["import { runServer } from '@commonhold/server';", ...imports, `await runServer([${list}]);`];
  return ['--input-type=module', '--eval', lines.join('\n')];
}

/** @returns {Promise<{ url: string, process: import('./process-group.mjs').GroupProcess }>} */
function startServer(
  /** @type {Started} */ started,
  /** @type {number} */ number,
  /** @type {readonly string[]} */ args,
  /** @type {Record<string, string>} */ env,
) {
  return onFreePort(async (port) => {
    const own = { PORT: String(port), CONTAINER_ID: `container-${number}` };
    const name = `server-${number}-${port}`;
    const server = started.start({ name, command: process.execPath, args, env: { ...env, ...own } });
    const url = `http://127.0.0.1:${port}`;
    await until(server, () => answers(`${url}/live`));
    return { url, process: server };
  });
}

/**
 * Starts Redis, state servers and nginx with the files of deploy/, as plain processes on loopback and free ports, and
 * resolves when nginx answers. They end with this process, however it ends.
 * @param {TopologyOptions} [options]
 * @returns {Promise<Topology>}
 * @throws Error with what a program printed that did not start; nothing stays behind
 */
export async function startTopology({ systems, servers: count = 3, env = {} } = {}) {
  const started = await Started.open();
  try {
    const { redisUrl, operatorUrl } = await startRedis(started, 'redis-state.conf');
    const variables = { TRUST_PROXY: '1', DATA_DIR: join(started.directory, 'data'), ...env, REDIS_URL: redisUrl };
    const args = serverProgram(systems);
    const starting = Array.from({ length: count }, (_, index) => startServer(started, index + 1, args, variables));
    const servers = await Promise.all(starting);
    const url = await startNginx(
      started,
      servers.map((server) => new URL(server.url).host),
    );
    /** @type {Promise<void> | undefined} */
    let stopped;
    const stop = () => (stopped ??= started.stop());
    return { url, servers, redisUrl, operatorUrl, directory: started.directory, stop };
  } catch (error) {
    await started.stop();
    throw error;
  }
}
