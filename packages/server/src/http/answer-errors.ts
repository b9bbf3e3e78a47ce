import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Problem, problem } from './problem.js';
import { problemOf } from './problem-of.js';

/** Sends `problem` as the answer. */
export function sendProblem(reply: FastifyReply, { document, headers }: Problem): FastifyReply {
  // As bytes: Fastify would put text through the route's response schema, and a charset behind a type that has none.
  const bytes = Buffer.from(JSON.stringify(document));
  return reply
    .code(document.status)
    .headers({ 'X-Content-Type-Options': 'nosniff', ...headers })
    .type('application/problem+json')
    .send(bytes);
}

/** Answers whatever a handler threw, and what no route took. */
export function answerErrors(http: FastifyInstance): void {
  http.setErrorHandler((error, request, reply) => answerError(error, request, reply));
  http.setNotFoundHandler((request, reply) => void sendProblem(reply, nothingThere(request)));
}

/** Answers `error`; one that is ours is logged with the request's id and shown to the client by that id alone. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = problemOf(error);
  if (known !== undefined) {
    request.log.debug({ err: error, status: known.statusCode }, 'request refused');
    // Fastify would close the connection on the rest of the body, and the client would see that before the answer.
    if (known.statusCode === 413) reply.removeHeader('connection');
    return void sendProblem(reply, known);
  }
  request.log.error({ err: error, route: request.routeOptions.url }, 'request failed');
  const members = { request_id: request.id };
  const detail = `Something went wrong here. The log has it under ${request.id}.`;
  void sendProblem(reply, problem(500, detail, { members }));
}

function nothingThere(request: FastifyRequest): Problem {
  const [path = ''] = request.url.split('?');
  const shown = path.length <= 200 ? path : `${path.slice(0, 200)}...`;
  return problem(404, `There is nothing at ${request.method} ${shown}.`);
}
