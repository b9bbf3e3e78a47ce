import type { FastifyInstance } from 'fastify';
import type { AttendxState } from '../attendx-state.js';
import { type CacheSize, measureCache } from '../cache/cache-size.js';

/** `GET /api/cache/stats`: hits and misses of all processes since ever, and what the store holds. */
export function cacheRoutes(http: FastifyInstance, state: AttendxState): void {
  http.get('/api/cache/stats', async (_request, reply) => {
    const { hits, misses } = state.counters;
    const unknown: CacheSize = { keys: null, memory: null };
    const redis = state.utility.getRedisClient();
    const counted = await Promise.all([hits.get(), misses.get(), measureCache(state)]).catch(() => undefined);
    const [hitCount, missCount, size] = counted ?? [null, null, unknown];
    const mode = state.shared.status().kind === 'redis' ? 'redis' : 'in-memory';
    void reply.header('Cache-Control', 'no-store');
    return { hits: hitCount, misses: missCount, ...size, mode, connected: redis.isConnected };
  });
}
