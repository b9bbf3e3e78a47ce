import { randomUUID } from 'node:crypto';
import { fastify, type FastifyInstance } from 'fastify';
import type { TrustProxy } from '../settings.js';
import { answerError, answerErrors } from './answer-errors.js';
import type { Gate } from './gate.js';
import { answerClientError } from './raw-problem.js';
import { type LogStream, logOptions, RequestLog } from './request-log.js';
import { createValidatorFactory, describeSchemaErrors } from './validation.js';

/** What the HTTP side is made of. */
export interface HttpOptions {
  readonly gate: Gate;
  readonly trustProxy: TrustProxy;
  readonly logLevel: string;
  readonly logStream: LogStream | undefined;
}

/** The largest body of a route that does not ask for more. */
const bodyLimit = 2 ** 20;
/** How long a system may take to begin. */
const pluginTimeout = 60_000;

/** Fastify, made hard to misuse: bounded requests, problems for all errors, no secrets in the log. */
export function createHttp({ gate, trustProxy, logLevel, logStream }: HttpOptions): FastifyInstance {
  const http = fastify({
    serverFactory: gate.factory,
    bodyLimit,
    pluginTimeout,
    logger: logOptions(logLevel, logStream),
    logController: new RequestLog(),
    // Unique over processes, since their logs meet.
    genReqId: () => randomUUID(),
    trustProxy: typeof trustProxy === 'object' ? [...trustProxy] : trustProxy,
    schemaController: { compilersFactory: { buildValidator: createValidatorFactory() } },
    schemaErrorFormatter: describeSchemaErrors,
    frameworkErrors: answerError,
    clientErrorHandler: answerClientError,
  });
  http.addHook('onRequest', async (_request, reply) => void reply.header('X-Content-Type-Options', 'nosniff'));
  // A text where an object is expected is of the wrong kind (415), not a bad object.
  http.removeContentTypeParser('text/plain');
  answerErrors(http);
  return http;
}
