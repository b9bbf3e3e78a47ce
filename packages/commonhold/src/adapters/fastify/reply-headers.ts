import type { FastifyReply } from 'fastify';
import { type Problem, problemAnswer } from '../http/problem.js';
import type { ResponseHeaders } from '../http/response-headers.js';

/** The headers that Fastify will send. */
export function replyHeaders(reply: FastifyReply): ResponseHeaders {
  return {
    isSent: () => reply.sent || reply.raw.headersSent,
    get: (name) => reply.getHeader(name),
    set: (name, value) => {
      // Fastify adds to the cookies that are there.
      reply.removeHeader(name);
      reply.header(name, value);
    },
  };
}

/** Answers with `problem`. */
export function replyProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  // As bytes: Fastify would put text through the route's response schema, and a charset behind a type that has none.
  const { headers, body } = problemAnswer(problem);
  return reply.code(problem.document.status).headers(headers).send(body);
}
