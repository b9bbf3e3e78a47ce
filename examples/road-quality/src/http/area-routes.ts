import { problem } from '@commonhold/server';
import type { FastifyInstance } from 'fastify';
import type { AreaOverviews } from '../area-overview.js';
import { areaLength, isGeohash } from '../regions.js';

/** As many areas as one screen shows. */
const mostAreas = 32;

/** `GET /areas?ids=ttng,ttnf`: what a map shows of them. */
export function areaRoutes(http: FastifyInstance, overviews: AreaOverviews): void {
  http.get<{ Querystring: { readonly ids?: unknown } }>('/areas', async ({ query }) => {
    const ids = typeof query.ids === 'string' ? query.ids.split(',') : [''];
    if (ids.length > mostAreas || !ids.every((id) => isGeohash(id, areaLength))) {
      throw problem(400, `ids: expected 1 to ${mostAreas} geohashes of ${areaLength}, separated by commas`);
    }
    return { areas: await Promise.all([...new Set(ids)].map((id) => overviews.read(id))) };
  });
}
