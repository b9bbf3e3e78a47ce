import type { FastifyInstance } from 'fastify';
import type { ServiceChecks } from './service-checks.js';

/** `GET /health`: always 200 and at once; `degraded` while a service is away. */
export function healthRoutes(http: FastifyInstance, checks: ServiceChecks): void {
  http.get('/health', async (_request, reply) => {
    const services = checks.read();
    const status = Object.values(services).includes('disconnected') ? 'degraded' : 'ok';
    return reply.header('Cache-Control', 'no-store').send({ status, timestamp: new Date().toISOString(), services });
  });
}
