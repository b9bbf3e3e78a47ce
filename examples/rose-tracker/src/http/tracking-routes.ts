import { problem } from '@commonhold/server';
import type { FastifyInstance } from 'fastify';
import type { PersistentData } from '../tracking/persistent-data.js';
import type {
  FrameAnswer,
  FrameCounts,
  FrameRefusal,
  RealtimeTrackingService,
} from '../tracking/realtime-tracking-service.js';
import type { RoseId } from '../tracking/rose-id.js';
import { mostRanges, mostRoses, type SessionRecord } from '../tracking/session-record.js';

interface SessionParams {
  readonly Params: { readonly id: string };
}

interface FrameRequest extends SessionParams {
  readonly Body: { readonly frame: number; readonly roses: readonly RoseId[] };
}

const frameSchema = {
  body: {
    type: 'object',
    required: ['frame', 'roses'],
    properties: {
      frame: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
      roses: {
        type: 'array',
        maxItems: 1_000,
        items: {
          anyOf: [
            { type: 'string', minLength: 1, maxLength: 128 },
            { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
          ],
        },
      },
    },
  },
} as const;

const fresh = { 'Cache-Control': 'no-store' };

/** The contract's routes: sessions, their frames, totals and history. */
export function trackingRoutes(http: FastifyInstance, service: RealtimeTrackingService, data: PersistentData): void {
  http.addHook('onRequest', async (_request, reply) => void reply.headers(fresh));

  allowEmptyBodies(http);

  http.post('/sessions', async (_request, reply) => reply.code(201).send(await service.startSession()));

  http.get<SessionParams>('/sessions/:id', async ({ params }) => {
    const session = await service.session(sessionId(params));
    if (session === undefined) throw noSuchSession();
    return sessionDocument(session);
  });

  http.post<FrameRequest>('/sessions/:id/frames', { schema: frameSchema }, async ({ params, body }) => {
    checkRoses(body.roses);
    return countsOf(await service.processFrame(sessionId(params), body.frame, body.roses));
  });

  http.post<SessionParams>('/sessions/:id/stop', async ({ params }) => {
    const entry = await service.stopSession(sessionId(params));
    if (entry === undefined) throw noSuchSession();
    return entry;
  });

  http.get('/totals', async () => {
    const [total, cumulative, record] = await Promise.all([
      data.get('total_unique_roses'),
      data.get('cumulative_unique_roses'),
      data.record(),
    ]);
    const { next_session_number, last_session_id } = record;
    return { total_unique_roses: total, cumulative_unique_roses: cumulative, next_session_number, last_session_id };
  });

  http.get('/history', () => data.get('session_history'));
}

/** Many clients name JSON as the type of a body that they do not send, and two of our calls need none. */
function allowEmptyBodies(http: FastifyInstance): void {
  const parse = http.getDefaultJsonParser('error', 'error');
  http.removeContentTypeParser('application/json');
  http.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text === '') done(null, undefined);
    else void parse(request, text, done);
  });
}

/** The id as we give it; anything else names no session, and is not worth a look at the store. */
function sessionId({ id }: { readonly id: string }): string {
  if (/^[\da-f]{32}$/.test(id)) return id;
  throw noSuchSession();
}

/** JSON can hold halves of characters, which no set of texts takes. */
function checkRoses(roses: readonly RoseId[]): void {
  const broken = roses.findIndex((rose) => typeof rose === 'string' && !rose.isWellFormed());
  if (broken >= 0) throw problem(422, `body.roses[${broken}]: expected well-formed Unicode`);
}

function sessionDocument(
  session: SessionRecord,
): Omit<SessionRecord, 'frame_ranges' | 'unsettled_roses' | 'stopped_at'> {
  const { frame_ranges: _ranges, unsettled_roses: _unsettled, stopped_at: _stopped, ...document } = session;
  return document;
}

function countsOf(answer: FrameAnswer): FrameCounts {
  if (answer.outcome === 'added' || answer.outcome === 'repeated') return answer.counts;
  throw refusals[answer.outcome]();
}

const refusals: Readonly<Record<FrameRefusal, () => Error>> = {
  absent: () => noSuchSession(),
  'too many roses': () => problem(422, `A session holds at most ${mostRoses} different roses.`),
  'too many gaps': () =>
    problem(422, `Too many frames are missing between those that came: at most ${mostRanges - 1} gaps.`),
};

function noSuchSession(): Error {
  return problem(404, 'There is no session of this id, or it has ended.');
}
