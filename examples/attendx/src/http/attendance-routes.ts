import { randomUUID } from 'node:crypto';
import { clientNetwork, problem } from '@commonhold/server';
import { rateLimitHeaders } from 'commonhold';
import { limitRequests } from 'commonhold/fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AttendxState } from '../attendx-state.js';
import type { Attendance } from '../people/attendance.js';
import { requireUser } from './caller.js';
import { checkName } from './checks.js';
import { receiveImage } from './image-form.js';

/** `POST /api/enroll`, `GET /api/enroll`, `POST /api/attendance` and `GET /api/attendance`. */
export function attendanceRoutes(
  http: FastifyInstance,
  state: AttendxState,
  attendance: Attendance,
  { requireLogin }: { readonly requireLogin: boolean },
): void {
  const admit = async (request: FastifyRequest): Promise<void> => void (requireLogin && requireUser(state, request));

  // Counted before anything of the body is read, so that a refused image is a try as well.
  const enrol = { onRequest: limitRequests(state.enrolments), preHandler: admit };
  http.post('/api/enroll', enrol, async (request, reply) => {
    const form = await receiveImage(request);
    const name = checkName(form.name);
    const { embedding_id, embedding, cached } = await attendance.embed(form.image);
    const person_id = randomUUID();
    await attendance.enrol({ person_id, name, embedding_id, embedding });
    return reply.code(201).send({ person_id, embedding_id, cached });
  });

  http.get('/api/enroll', async (request, reply) => {
    const verdict = await state.enrolments.peek(clientNetwork(request.ip));
    const { limit, remaining, resetMs } = verdict;
    void reply.headers({ ...rateLimitHeaders(verdict), 'Cache-Control': 'no-store' });
    return { limit, remaining, reset_seconds: Math.ceil(resetMs / 1_000) };
  });

  http.post('/api/attendance', { preHandler: admit }, async (request) => {
    const { image } = await receiveImage(request);
    const { embedding } = await attendance.embed(image);
    const recognition = await attendance.recognise(embedding);
    if (recognition === undefined) throw problem(404, 'Nobody who is enrolled looks like this.');
    const { person, similarity } = recognition;
    await attendance.note(recognition);
    return { person_id: person.person_id, name: person.name, similarity };
  });

  http.get('/api/attendance', async (request) => {
    requireUser(state, request);
    return attendance.today();
  });
}
