import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const folder: URL = new URL('../page/', import.meta.url);

/** The browser's half of Socket.IO, as installed beside ours, so that the two always fit. */
const socketClient: string = join(
  dirname(createRequire(import.meta.url).resolve('socket.io/package.json')),
  'client-dist/socket.io.esm.min.js',
);

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Everything comes from this server. Previews are of files that the person chose. */
const contentSecurityPolicy: string = [
  "default-src 'self'",
  "img-src 'self' blob:",
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

/** The page at the root of the system, and its files beside it. All are few and small, and read once. */
export async function pageRoutes(http: FastifyInstance): Promise<void> {
  const serve = async (name: string, path: string | URL): Promise<void> => {
    const asset = await readAsset(path);
    http.get(`/${name}`, async (request, reply) => send(asset, request, reply));
  };
  const names = await readdir(folder);
  for (const name of names.filter((one) => /\.(?:css|js|svg)$/.test(one))) await serve(name, new URL(name, folder));
  await serve('socket.io-client.js', socketClient);
  const index = await readAsset(new URL('index.html', folder));
  http.get('/', async (request, reply) => {
    const [path = '', ...query] = request.url.split('?');
    // The page's links are relative, and begin at its last slash.
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
