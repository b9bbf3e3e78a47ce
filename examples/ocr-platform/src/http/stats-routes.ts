import type { FastifyInstance } from 'fastify';
import type { OcrState } from '../ocr-state.js';
import { requireCaller } from './caller.js';

/** How far back `daily` goes. */
const days = 30;

/** `GET /stats`: what all users together had read; of the days those on which something ended. */
export function statsRoutes(http: FastifyInstance, state: OcrState): void {
  http.get('/stats', async (request) => {
    await requireCaller(state, request);
    const [{ total, completed, failed }, counted] = await Promise.all([state.tasks.totals(), state.tasks.daily(days)]);
    const active = counted.filter((day) => day.completed + day.failed > 0);
    const daily = active.map(({ day, ...counts }) => [
      day,
      {
        tasks_completed: counts.completed,
        tasks_failed: counts.failed,
        avg_processing_time: counts.averageMs,
      },
    ]);
    return { tasks: { total, completed, failed }, daily: Object.fromEntries(daily) as Record<string, unknown> };
  });
}
