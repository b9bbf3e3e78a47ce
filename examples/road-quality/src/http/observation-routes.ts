import { randomUUID } from 'node:crypto';
import { problem } from '@commonhold/server';
import type { FastifyInstance } from 'fastify';
import type { Observation, Report } from '../observations/observation.js';
import type { RoadStore } from '../observations/road-store.js';
import { isGeohash, regionLength } from '../regions.js';
import { isUserId, longestUserId } from '../user-id.js';

const bodyLimit = 4_096;

const reportSchema = {
  body: {
    type: 'object',
    required: ['userId', 'latitude', 'longitude', 'quality'],
    properties: {
      observationId: {
        type: 'string',
        pattern: '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$',
      },
      userId: { type: 'string', minLength: 1, maxLength: longestUserId },
      latitude: { type: 'number', minimum: -90, maximum: 90 },
      longitude: { type: 'number', minimum: -180, maximum: 180 },
      quality: { type: 'number', minimum: 0, maximum: 100 },
    },
  },
} as const;

type ReportBody = Omit<Report, 'observationId'> & { readonly observationId?: string };

/** What the routes need. `store` is undefined where there is no database; `tell` lets the region's members hear. */
export interface ObservationParts {
  readonly store: RoadStore | undefined;
  readonly tell: (observation: Observation) => Promise<void>;
}

/** `POST /observations` and `GET /segments`. */
export function observationRoutes(http: FastifyInstance, { store, tell }: ObservationParts): void {
  http.post<{ Body: ReportBody }>('/observations', { bodyLimit, schema: reportSchema }, async ({ body }, reply) => {
    if (store === undefined) throw noDatabase();
    const report = readReport(body);
    const { observation, isNew } = await store.add(report);
    if (!isNew && !isSame(report, observation)) throw otherReport();
    if (isNew) await tell(observation);
    return reply.code(isNew ? 201 : 200).send(observation);
  });

  http.get<{ Querystring: { readonly regionId?: unknown } }>('/segments', async ({ query }) => {
    const regionId = requireRegion(query.regionId);
    if (store === undefined) throw noDatabase();
    return { regionId, segments: await store.segments(regionId) };
  });
}

/** @throws {Problem} 400 when `value` is no region. */
export function requireRegion(value: unknown): string {
  if (isGeohash(value, regionLength)) return value;
  throw problem(400, `A region is a geohash of ${regionLength} lower-case characters, such as ttngkc.`);
}

/** The answer to what needs a database where there is none. */
function noDatabase(): Error {
  const detail = 'Observations are not stored here: with Redis they need a PostgreSQL, which DATABASE_URL names.';
  return problem(503, detail);
}

function readReport({ observationId, userId, latitude, longitude, quality }: ReportBody): Report {
  if (!isUserId(userId)) throw problem(422, 'body.userId: expected well-formed text without control characters');
  return {
    observationId: observationId?.toLowerCase() ?? randomUUID(),
    userId,
    latitude,
    longitude,
    quality: Math.round(quality * 1_000) / 1_000,
  };
}

function isSame(report: Report, stored: Observation): boolean {
  const { userId, latitude, longitude, quality } = report;
  const same = stored.userId === userId && stored.quality === quality;
  return same && stored.latitude === latitude && stored.longitude === longitude;
}

function otherReport(): Error {
  return problem(409, 'Another observation has this observationId.');
}
