import { userInfo } from 'node:os';

/**
 * Where a plain nginx process finds things, unlike one in a container.
 * @typedef {{ port: number, servers: readonly string[], directory: string }} NginxPlaces
 */

/** Replaces what must be there: a template that changed is found out here and not by a browser. */
function replaced(/** @type {string} */ text, /** @type {RegExp} */ pattern, /** @type {string} */ replacement) {
  if (text.search(pattern) < 0) throw new Error(`deploy/nginx.conf: expected ${pattern}`);
  return text.replace(pattern, () => replacement);
}

/**
 * deploy/nginx.conf for processes of this machine: other servers, another port on loopback, another directory. All else
 * stays as it is.
 * @param {string} template
 * @param {NginxPlaces} places `servers` are `host:port`; `directory` is absolute and exists
 * @returns {string}
 */
export function nginxConfiguration(template, { port, servers, directory }) {
  const upstream = servers.map((server) => `    server ${server} max_fails=1 fail_timeout=5s;\n`).join('');
  let text = replaced(template, /(?<= )\/tmp\//g, `${directory}/`);
  text = replaced(text, /(?: *server app\d:5000 [^\n]*\n)+/, upstream);
  text = replaced(text, /\blisten 8080;/, `listen 127.0.0.1:${port};`);
  text = replaced(text, /\/dev\/stdout/, `${directory}/access.log`);
  text = replaced(text, /\/dev\/stderr/, `${directory}/nginx.log`);
  // As root nginx would become another user, who may not enter our directory.
  return userInfo().uid === 0 ? `user root;\n${text}` : text;
}
