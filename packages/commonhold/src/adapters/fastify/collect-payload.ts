import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { FastifyReply } from 'fastify';

/** A payload that was read. */
export interface CollectedPayload {
  /** All of it; undefined where it is longer than was asked for. */
  readonly whole: Buffer | undefined;
  /** What to send in its place. */
  readonly send: unknown;
}

/**
 * Reads what Fastify is about to send, up to `mostBytes`. Rejects when a stream fails before that, so that the client is
 * told instead of getting a part.
 */
export async function collectPayload(
  reply: FastifyReply,
  payload: unknown,
  mostBytes: number,
): Promise<CollectedPayload> {
  const body = payload instanceof Response ? unpack(reply, payload) : payload;
  if (body === undefined || body === null) return { whole: Buffer.alloc(0), send: body };
  const stream = streamOf(body);
  if (stream !== undefined) return collectStream(stream, mostBytes);
  const bytes = Buffer.from(body as string);
  return { whole: bytes.length > mostBytes ? undefined : bytes, send: body };
}

// As Fastify does after its last hook.
function unpack(reply: FastifyReply, response: Response): unknown {
  reply.code(response.status);
  for (const [name, value] of response.headers) reply.header(name, value);
  return response.body;
}

function streamOf(body: unknown): Readable | undefined {
  if (body instanceof Readable) return body;
  if (typeof body !== 'object' || body === null) return undefined;
  if ('getReader' in body) return Readable.fromWeb(body as ReadableStream);
  return 'pipe' in body ? new Readable().wrap(body as NodeJS.ReadableStream) : undefined;
}

async function collectStream(stream: Readable, mostBytes: number): Promise<CollectedPayload> {
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<string | Uint8Array>;
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const next = await iterator.next();
    if (next.done === true) {
      const whole = Buffer.concat(chunks);
      return { whole, send: whole };
    }
    const chunk = Buffer.from(next.value as string);
    chunks.push(chunk);
    length += chunk.length;
    if (length > mostBytes) return { whole: undefined, send: Readable.from(rest(chunks, iterator)) };
  }
}

async function* rest(chunks: readonly Buffer[], iterator: AsyncIterator<unknown>): AsyncGenerator {
  try {
    yield* chunks;
    yield* { [Symbol.asyncIterator]: () => iterator };
  } finally {
    // A client that goes away ends the source too.
    await iterator.return?.();
  }
}
