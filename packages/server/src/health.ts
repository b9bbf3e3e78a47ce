import type { BackendStatus } from 'commonhold';
import type { FastifyInstance } from 'fastify';
import { sendProblem } from './http/answer-errors.js';
import { problem } from './http/problem.js';
import { stopping } from './http/problem-of.js';

/** The answer of `GET /health`. */
export interface Health {
  readonly status: 'healthy' | 'degraded';
  readonly redis: 'disabled' | 'connected' | 'disconnected';
  readonly state_management: 'in-memory' | 'redis';
  readonly message: string;
}

/** Health over all stores: one that is away makes all of it degraded. */
export function healthOf(statuses: readonly BackendStatus[]): Health {
  if (!statuses.some(({ kind }) => kind === 'redis')) {
    const message = 'Application is running normally (development mode)';
    return { status: 'healthy', redis: 'disabled', state_management: 'in-memory', message };
  }
  if (statuses.every(({ connected }) => connected)) {
    const message = 'Application is running normally with Redis';
    return { status: 'healthy', redis: 'connected', state_management: 'redis', message };
  }
  const message = 'Redis is unreachable; serving by policy';
  return { status: 'degraded', redis: 'disconnected', state_management: 'redis', message };
}

const fresh = { 'Cache-Control': 'no-store' };

/** What the three questions are answered from. */
export interface HealthSources {
  /** Must not wait. */
  statuses(): readonly BackendStatus[];
  /** Names of the stores that failed their write-read probe. */
  probe(): Promise<readonly string[]>;
  /** Whether the server is on its way out. */
  draining(): boolean;
}

/**
 * Adds `/health`, `/live` and `/ready`, each unless a system has it already. `/health` and `/live` answer at once and 200;
 * `/ready` is 503 while draining and while a store fails its probe.
 */
export function addHealthRoutes(http: FastifyInstance, sources: HealthSources): void {
  const routes = {
    '/health': () => healthOf(sources.statuses()),
    '/live': () => ({ status: 'live' }),
  };
  for (const [url, answer] of Object.entries(routes)) {
    if (http.hasRoute({ method: 'GET', url })) continue;
    http.get(url, async (_request, reply) => reply.headers(fresh).send(answer()));
  }
  if (http.hasRoute({ method: 'GET', url: '/ready' })) return;
  http.get('/ready', async (_request, reply) => {
    reply.headers(fresh);
    if (sources.draining()) return sendProblem(reply, stopping());
    const failed = await sources.probe();
    if (failed.length === 0) return { status: 'ready' };
    return sendProblem(reply, problem(503, `These stores take no writes: ${failed.join(', ')}.`));
  });
}
