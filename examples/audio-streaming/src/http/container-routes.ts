import type { FastifyInstance } from 'fastify';
import type { AudioState } from '../audio-state.js';
import { containerOf } from '../state-manager.js';

const mostTakeOvers = 50;

/** `GET /containers`: who lives, what each holds, what the dead left, and what went from one to another. */
export function containerRoutes(http: FastifyInstance, { owners, conversionState, shared }: AudioState): void {
  http.get('/containers', async () => {
    const [living, orphans, takeOvers] = await Promise.all([
      owners.list(),
      owners.orphans(),
      conversionState.takeOvers.page({ limit: 1_000 }),
    ]);
    return {
      containers: living.map(({ id, name, startedAtMs, lastBeatAtMs, holds }) => ({
        container_id: name,
        owner: id,
        started_at: startedAtMs,
        last_beat: lastBeatAtMs,
        /** Whether it gave this answer. */
        answers: id === shared.owner,
        holds: holds.map((hold) => ({ name: hold.name, since: hold.sinceMs })),
      })),
      orphans: orphans.map(({ name, owner, sinceMs }) => ({ name, container_id: containerOf(owner), since: sinceMs })),
      taken_over: takeOvers.entries
        .map(({ value }) => value)
        .toSorted((a, b) => b.taken_over_at - a.taken_over_at)
        .slice(0, mostTakeOvers),
    };
  });
}
