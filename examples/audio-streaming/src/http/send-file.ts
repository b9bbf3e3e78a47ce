import type { Readable } from 'node:stream';
import { problem } from '@commonhold/server';
import { send } from '@fastify/send';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** A file to answer with. */
export interface FileToSend {
  /** Directory that it is in. */
  readonly root: string;
  /** Its name there: only characters that stand in a URL as they are. */
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
  const { root, name, mediaType, onBody } = file;
  const found = await send(request.raw, name, { root, contentType: false, cacheControl: false, index: false });
  if (found.type !== 'file') throw refusal(found.statusCode, found.headers);
  void reply.code(found.statusCode).headers({ ...found.headers, ...file.headers });
  const length = Number(found.headers['Content-Length'] ?? 0);
  const isBody = found.statusCode < 300 && request.method !== 'HEAD';
  if (isBody) void reply.type(mediaType);
  return reply.send(isBody && onBody ? onBody(found.stream, length) : found.stream);
}

function refusal(status: number, headers: Readonly<Record<string, string>>): Error {
  if (status === 416) {
    const range = headers['Content-Range'] ?? '';
    return problem(416, 'The range lies beyond the end of the file.', { headers: { 'Content-Range': range } });
  }
  if (status === 412) return problem(412, 'The file is not in the state that the request is for.');
  return problem(404, 'There is no such file.');
}
