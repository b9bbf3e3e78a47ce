import { problem } from '@commonhold/server';
import type { PresentMember } from 'commonhold';
import type { FastifyInstance } from 'fastify';
import type { Meta, RoadState } from '../road-state.js';
import { isUserId, longestUserId } from '../user-id.js';
import { requireRegion } from './observation-routes.js';

interface ByRegion {
  readonly Params: { readonly id: string };
  readonly Querystring: { readonly neighbours?: unknown };
}

/** `GET /regions/:id/members` and `GET /users/:id/presence`. */
export function presenceRoutes(http: FastifyInstance, { presence }: RoadState): void {
  http.get<ByRegion>('/regions/:id/members', async ({ params, query }) => {
    const regionId = requireRegion(params.id);
    const members = await presence.members(regionId, { neighbours: readFlag(query.neighbours) });
    return { regionId, members: members.map(memberDocument) };
  });

  http.get<{ Params: { readonly id: string } }>('/users/:id/presence', async ({ params }) => {
    const { id } = params;
    if (!isUserId(id)) throw problem(400, `A user id is text of 1 to ${longestUserId} characters.`);
    const { online, members } = await presence.user(id);
    const [latest] = members.toSorted(byActivity);
    return {
      online,
      sockets: members.map((member) => member.id),
      regionId: latest?.region ?? null,
      lastActivityAt: latest === undefined ? null : isoTime(latest.lastActivityAtMs),
    };
  });
}

/** The last active first; within a millisecond who has moved before who has only connected. */
function byActivity(a: PresentMember<Meta>, b: PresentMember<Meta>): number {
  return b.lastActivityAtMs - a.lastActivityAtMs || Number(b.region !== undefined) - Number(a.region !== undefined);
}

function memberDocument({ id, user, region, lastActivityAtMs }: PresentMember<Meta>): Record<string, unknown> {
  return { socketId: id, userId: user, regionId: region, lastActivityAt: isoTime(lastActivityAtMs) };
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function readFlag(value: unknown): boolean {
  if (value === undefined || value === '' || value === 'false' || value === '0') return false;
  if (value === 'true' || value === '1') return true;
  throw problem(400, 'query.neighbours: expected true or false');
}
