import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from 'commonhold/testing';
import { nginxConfiguration } from './nginx-configuration.mjs';
import { GroupProcess, Guard } from './process-group.mjs';

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
 * @property {readonly { readonly url: string, readonly process: GroupProcess }[]} servers
 * @property {string} redisUrl with the password of the servers' user
 * @property {string} operatorUrl the same Redis, for the user who may do everything
 * @property {string} directory holds logs and data; removed by `stop`
 * @property {() => Promise<void>} stop ends all of it, and leaves nothing behind
 */

const root = fileURLToPath(new URL('../../', import.meta.url));
const portAttempts = 3;
const startTimeoutMs = 30_000;
const lookEveryMs = 25;

/** Debian has nginx where a user's PATH does not look. */
const path = `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin`;

/** Everything that was started, in the order of starting. */
class Started {
  /** @type {GroupProcess[]} */
  processes = [];
  directory;
  #guard;

  constructor(/** @type {string} */ directory) {
    this.directory = directory;
    this.#guard = new Guard(directory);
  }

  /** @param {{ name: string, command: string, args: readonly string[], env?: Record<string, string> }} program */
  start({ env = {}, ...program }) {
    const environment = { PATH: path, HOME: process.env.HOME ?? '', ...env };
    const started = new GroupProcess({ ...program, env: environment, cwd: root }, this.directory);
    this.#guard.watch(started);
    this.processes.push(started);
    return started;
  }

  /** Those first that depend on the others. */
  async stop() {
    const of = (/** @type {RegExp} */ name) => this.processes.filter((one) => name.test(one.name));
    await Promise.all(of(/^nginx/).map((nginx) => nginx.end('SIGTERM')));
    await Promise.all(of(/^server/).map((server) => server.end('SIGINT')));
    await Promise.all(of(/^redis/).map((redis) => redis.end('SIGTERM')));
    await this.#guard.dismiss();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Looks until `condition` holds. @throws Error with what the process printed, when it ended or time is up */
async function until(/** @type {GroupProcess} */ program, /** @type {() => Promise<boolean>} */ condition) {
  const deadline = performance.now() + startTimeoutMs;
  while (!(await condition())) {
    if (program.running && performance.now() < deadline) {
      await sleep(lookEveryMs);
      continue;
    }
    throw new Error(`${program.name} did not start. It printed:\n${program.logTail()}`);
  }
}

async function answers(/** @type {string} */ url) {
  return fetch(url).then(
    async (response) => {
      await response.arrayBuffer();
      return response.ok;
    },
    () => false,
  );
}

/**
 * Starts on a port that was free a moment ago, and on another should somebody have been faster.
 * @template Result
 * @param {(port: number) => Promise<Result>} start
 * @returns {Promise<Result>}
 */
async function onFreePort(start) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      const taken = /already in use|is taken/i.test(String(error));
      if (!taken || attempt === portAttempts) throw error;
    }
  }
}

/** @returns {Promise<{ redisUrl: string, operatorUrl: string }>} */
function startRedis(/** @type {Started} */ started) {
  const [password, operator] = [randomBytes(24).toString('hex'), randomBytes(24).toString('hex')];
  return onFreePort(async (port) => {
    const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', started.directory];
    const redis = started.start({
      name: `redis-${port}`,
      command: 'sh',
      args: [join(root, 'deploy/start-redis.sh'), 'redis-state.conf', ...place],
      env: {
        REDIS_PASSWORD: password,
        REDIS_OPERATOR_PASSWORD: operator,
        REDIS_USERS_DIRECTORY: started.directory,
      },
    });
    await until(redis, () => Promise.resolve(redis.logTail().includes('Ready to accept connections')));
    const url = (/** @type {string} */ login) => `redis://${login}@127.0.0.1:${port}/0`;
    return { redisUrl: url(`commonhold:${password}`), operatorUrl: url(`operator:${operator}`) };
  });
}

/** What node runs: the state server as it is, or one of some systems alone. */
function serverProgram(/** @type {readonly string[] | undefined} */ systems) {
  if (systems === undefined) return [join(root, 'packages/server/dist/main.js')];
  const imports = systems.map((name, index) => `import { system as s${index} } from '${name}';`);
  const list = systems.map((_name, index) => `s${index}`).join(', ');
  const lines = ["import { runServer } from '@commonhold/server';", ...imports, `await runServer([${list}]);`];
  return ['--input-type=module', '--eval', lines.join('\n')];
}

/** @returns {Promise<{ url: string, process: GroupProcess }>} */
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

/** @returns {Promise<string>} where it answers */
async function startNginx(/** @type {Started} */ started, /** @type {readonly string[]} */ servers) {
  const template = await readFile(join(root, 'deploy/nginx.conf'), 'utf8');
  return onFreePort(async (port) => {
    const { directory } = started;
    const file = join(directory, `nginx-${port}.conf`);
    await writeFile(file, nginxConfiguration(template, { port, servers, directory }));
    const args = ['-e', join(directory, 'nginx.log'), '-p', directory, '-c', file, '-g', 'daemon off;'];
    const nginx = started.start({ name: `nginx-${port}`, command: 'nginx', args });
    const url = `http://127.0.0.1:${port}`;
    await until(nginx, () => answers(`${url}/health`));
    return url;
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
  const started = new Started(await mkdtemp(join(tmpdir(), 'commonhold-topology-')));
  try {
    const { redisUrl, operatorUrl } = await startRedis(started);
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
