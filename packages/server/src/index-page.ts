import { readFileSync } from 'node:fs';
import type { FastifyInstance, RouteOptions } from 'fastify';
import type { Health } from './health.js';
import type { System } from './system.js';

/** What the pages show. */
export interface PageSources {
  readonly systems: readonly System[];
  /** Whether the one system's paths are at the root. */
  readonly atRoot: boolean;
  health(): Health;
}

interface Route {
  readonly method: string;
  readonly path: string;
}

const headers = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
};

/**
 * Pages for people: `/` with the systems, and one for each system with its routes, unless the system has its own. Make it
 * before the systems are mounted, since it notes their routes, and `add()` it after.
 */
export class IndexPages {
  readonly #http: FastifyInstance;
  readonly #sources: PageSources;
  readonly #routes: Route[] = [];

  constructor(http: FastifyInstance, sources: PageSources) {
    this.#http = http;
    this.#sources = sources;
    http.addHook('onRoute', ({ method, url }: RouteOptions) => {
      for (const name of [method].flat()) if (name !== 'HEAD') this.#routes.push({ method: name, path: url });
    });
  }

  add(): void {
    const routes = [...this.#routes];
    const { systems, atRoot } = this.#sources;
    this.#addAsset('page.css', 'text/css; charset=utf-8');
    this.#addAsset('page.js', 'text/javascript; charset=utf-8');
    this.#addAsset('icon.svg', 'image/svg+xml');
    for (const system of systems) {
      const prefix = atRoot ? '/' : `/${system.name}`;
      const own = routes.filter(({ path }) => path === prefix || path.startsWith(atRoot ? '/' : `${prefix}/`));
      for (const url of atRoot ? ['/'] : [prefix, `${prefix}/`]) {
        this.#addPage(url, system.title, system.description, atRoot ? '' : backLink, routeList(own));
      }
    }
    this.#addPage('/', 'Commonhold', 'Shared state for every worker.', '', systemList(systems));
  }

  #addPage(url: string, title: string, description: string, before: string, content: string): void {
    if (this.#http.hasRoute({ method: 'GET', url })) return;
    this.#http.get(url, async (_request, reply) => {
      const { status, message } = this.#sources.health();
      const texts = { title, description, status, message };
      const escaped = Object.entries(texts).map(([name, text]) => [name, escape(text)]);
      const parts = { ...Object.fromEntries(escaped), before, content };
      return reply.headers(headers).type('text/html; charset=utf-8').send(fill(template, parts));
    });
  }

  #addAsset(name: string, type: string): void {
    const bytes = read(name);
    this.#http.get(`/page/${name}`, async (_request, reply) => reply.headers(headers).type(type).send(bytes));
  }
}

function read(name: string): string {
  return readFileSync(new URL(`page/${name}`, import.meta.url), 'utf8');
}

const template = read('index.html');
const backLink = '<p><a href="/">All systems</a></p>';

function fill(text: string, parts: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (_match, name: string) => parts[name] ?? '');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}

function systemList(systems: readonly System[]): string {
  if (systems.length === 0) return '<p>No system is installed.</p>';
  const items = systems.map(
    ({ name, title, description }) =>
      `<li><a href="/${escape(name)}"><strong>${escape(title)}</strong> <code>/${escape(name)}</code></a><p>${escape(description)}</p></li>`,
  );
  return `<h2>Systems</h2><ul class="systems">${items.join('')}</ul>`;
}

function routeList(routes: readonly Route[]): string {
  if (routes.length === 0) return '';
  const rows = routes.map(
    ({ method, path }) => `<tr><td>${escape(method)}</td><td><code>${escape(path)}</code></td></tr>`,
  );
  return `<h2>Calls</h2><table><thead><tr><th scope="col">Method</th><th scope="col">Path</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}
