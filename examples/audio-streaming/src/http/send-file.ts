import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { problem } from '@commonhold/server';
import { send, type SendResult } from '@fastify/send';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** A file to answer with. */
export interface FileToSend {
  /** Directory that it is in. */
  readonly root: string;
  /** Its name there: only characters that stand in a URL as they are. Its bytes never change in place. */
  readonly name: string;
  readonly mediaType: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sees the body before it is sent, with the number of bytes it has. */
  readonly onBody?: (body: Readable, length: number) => Readable;
}

/**
 * Answers with a file, or the range of it that was asked for, or that it has not changed.
 *
 * @throws Problem 404 when there is none, 416 for a range beyond it, 412 for a failed precondition.
 */
export async function sendFile(request: FastifyRequest, reply: FastifyReply, file: FileToSend): Promise<FastifyReply> {
  const found = await find(request.raw, file);
  if (found.type !== 'file') throw refusal(found.statusCode, found.headers);
  void reply.code(found.statusCode).headers({ ...found.headers, ...file.headers });
  // Files are written elsewhere and renamed, so size and time say which bytes these are: the tag is a strong one.
  if (found.headers['ETag'] !== undefined) void reply.header('ETag', found.headers['ETag'].replace(/^W\//, ''));
  if (found.statusCode < 300) void reply.type(file.mediaType);
  const length = Number(found.headers['Content-Length'] ?? 0);
  const isBody = found.statusCode < 300 && request.method !== 'HEAD';
  return reply.send(isBody && file.onBody ? file.onBody(found.stream, length) : found.stream);
}

async function find(raw: IncomingMessage, { root, name }: FileToSend): Promise<SendResult> {
  const options = { root, contentType: false, cacheControl: false, index: false };
  const headers = readably(raw.headers);
  const found = await send(withHeaders(raw, headers), name, options);
  // The last bytes of a file that has fewer are all of them (RFC 9110, 14.1.2).
  if (found.statusCode !== 416 || !/^bytes=-0*[1-9]/.test(headers.range ?? '')) return found;
  return send(withHeaders(raw, { ...headers, range: 'bytes=0-' }), name, options);
}

function withHeaders(raw: IncomingMessage, headers: IncomingHttpHeaders): IncomingMessage {
  return Object.create(raw, { headers: { value: headers } }) as IncomingMessage;
}

const span = String.raw`[ \t]*(?:\d+-\d*|-\d+)[ \t]*`;
const byteRanges = new RegExp(`^bytes=${span}(?:,${span})*$`);

/** The headers in the words of `send`, whose tags are all weak, and which takes `1-2-3` for a range. */
function readably({ range, 'if-range': ifRange, ...others }: IncomingHttpHeaders): IncomingHttpHeaders {
  if (range === undefined || !byteRanges.test(range)) return others;
  const tag = ifRange?.toString();
  if (tag === undefined) return { ...others, range };
  // A weak tag does not say that the bytes are the same.
  return tag.startsWith('W/') ? others : { ...others, range, 'if-range': tag.replace(/^"/, 'W/"') };
}

function refusal(status: number, headers: Readonly<Record<string, string>>): Error {
  if (status === 416) {
    const range = headers['Content-Range'] ?? '';
    return problem(416, 'The range lies beyond the end of the file.', { headers: { 'Content-Range': range } });
  }
  if (status === 412) return problem(412, 'The file is not in the state that the request is for.');
  return problem(404, 'There is no such file.');
}
