import { type FastifyReply, type FastifyRequest, type FastifyServerOptions, LogController } from 'fastify';
import { destination } from 'pino';

/** Where log lines go. */
export interface LogStream {
  /** Takes one line of JSON with its line end. */
  write(line: string): void;
}

/** Names under which secrets travel; a logged object loses them, as deep as requests and their parts go. */
const secrets = ['authorization', 'cookie', '["set-cookie"]', 'token', 'password', 'secret'];

function redacted(): string[] {
  return ['', '*.', '*.*.'].flatMap((prefix) =>
    secrets.map((name) => (name.startsWith('[') ? `${prefix.replace(/\.$/, '')}${name}` : `${prefix}${name}`)),
  );
}

/**
 * Options of the log. A request is logged by its route, never by its URL, which may hold an id or a token.
 *
 * @param stream default standard output.
 */
export function logOptions(level: string, stream?: LogStream): NonNullable<FastifyServerOptions['logger']> {
  return {
    level,
    redact: redacted(),
    serializers: { req: (request) => ({ method: request.method, route: request.routeOptions?.url, ip: request.ip }) },
    // pino's own default writes later, and the last lines before an exit would come in any order, or twice.
    stream: stream ?? destination({ sync: true }),
  };
}

const probes = new Set(['/health', '/live', '/ready']);

/** One line a request, when it is over; those of probes only at `debug`. */
export class RequestLog extends LogController {
  override incomingRequest(): void {
    // The line at the end says all.
  }

  override routeNotFound(): void {
    // So does that of a request that no route took.
  }

  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    const route = request.routeOptions.url;
    const line = {
      method: request.method,
      route,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      ip: request.ip,
      ...(error ? { err: error } : {}),
    };
    request.log[route !== undefined && probes.has(route) ? 'debug' : 'info'](line, 'request');
  }
}
