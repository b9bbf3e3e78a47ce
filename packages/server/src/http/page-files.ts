import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Everything comes from this server. Previews are of files that the person chose, and players feed media to themselves. */
const contentSecurityPolicy: string = [
  "default-src 'self'",
  "img-src 'self' blob:",
  "media-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

interface Asset {
  readonly mediaType: string;
  readonly tag: string;
  readonly bytes: Buffer;
}

/** What a page needs beside its own folder. */
export interface PageOptions {
  /** Files from elsewhere, by the name under which the page asks for them. */
  readonly files?: Readonly<Record<string, string | URL>>;
}

/** Colours, controls and frame that the pages of all systems share. */
const baseStyle = ['base.css', new URL('../page/base.css', import.meta.url)] as const;

/**
 * Serves the page of a system: `index.html` of `folder` at the system's root, and the folder's CSS, JavaScript and SVG
 * files beside it, with a strict content security policy and a tag. `base.css`, for it to build upon, is what the pages of
 * all systems share: see packages/server/src/page. All of them are read once, so they should be few and
 * small. Links in the page are to be relative: the bare path of a system below another is redirected to its slash.
 */
export async function servePage(http: FastifyInstance, folder: URL, { files = {} }: PageOptions = {}): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /\.(?:css|js|svg)$/.test(name));
  const own = names.map((name) => [name, new URL(name, folder)] as const);
  for (const [name, path] of [baseStyle, ...own, ...Object.entries(files)]) {
    const asset = await readAsset(path);
    http.get(`/${name}`, async (request, reply) => send(asset, request, reply));
  }
  const index = await readAsset(new URL('index.html', folder));
  http.get('/', async (request, reply) => {
    const [path = '', ...query] = request.url.split('?');
    // The page's links begin at its last slash.
    if (!path.endsWith('/')) return reply.redirect([`${path}/`, ...query].join('?'), 308);
    return send(index, request, reply);
  });
}

async function readAsset(path: string | URL): Promise<Asset> {
  const bytes = await readFile(path);
  const tag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { bytes, tag, mediaType: mediaTypes[extname(String(path))] ?? 'application/octet-stream' };
}

function send({ bytes, tag, mediaType }: Asset, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  void reply.headers({
    'Content-Security-Policy': contentSecurityPolicy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-cache',
    ETag: tag,
  });
  if (request.headers['if-none-match'] === tag) return reply.code(304).send();
  return reply.type(mediaType).send(bytes);
}
