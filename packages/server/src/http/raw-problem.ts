import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Problem, problem } from './problem.js';

/** Answers on a bare connection, where no reply object exists, and closes it. */
export function endWithProblem(socket: Duplex, { document }: Problem): void {
  if (!socket.writable) return void socket.destroy();
  const body = JSON.stringify(document);
  const head = [
    `HTTP/1.1 ${document.status} ${document.title}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  // The client may be gone already, which is nobody's error.
  socket.on('error', () => undefined);
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

/** Answers a request that never reaches a route, and closes its connection. */
export function answerBare(response: ServerResponse, { document }: Problem): void {
  const headers = { 'Content-Type': 'application/problem+json', Connection: 'close' };
  response.writeHead(document.status, headers).end(JSON.stringify(document));
}

/** What to say to a client that Node's parser gave up on. */
function problemOf(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return problem(408, 'The request did not arrive in time.');
  if (code === 'HPE_HEADER_OVERFLOW') return problem(431, 'The headers are larger than 16 KiB.');
  return problem(400, 'This is not an HTTP request.');
}

/** Listener of the HTTP server's `clientError`. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET') return void socket.destroy();
  endWithProblem(socket, problemOf(error.code));
}
