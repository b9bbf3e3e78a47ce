import { problem } from '@commonhold/server';
import { sessionOf } from 'commonhold/fastify';
import type { FastifyRequest } from 'fastify';
import type { AttendxState } from '../attendx-state.js';

/** The id of the user whose session the request's cookie opens; 401 when there is none. */
export function requireUser(state: AttendxState, request: FastifyRequest): string {
  const session = sessionOf(request, state.sessions);
  const { user_id } = session.data;
  if (user_id !== undefined) return user_id;
  throw problem(401, session.endReason === 'idle' ? 'Session expired due to inactivity' : 'Not logged in');
}
