import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nginxConfiguration } from './nginx-configuration.mjs';
import { answers, onFreePort, root, until } from './started.mjs';

/**
 * Starts nginx with deploy/nginx.conf in front of other servers.
 * @param {import('./started.mjs').Started} started
 * @param {readonly string[]} servers `host:port` each; one of them must answer `/health`
 * @returns {Promise<string>} where nginx answers
 */
export async function startNginx(started, servers) {
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
