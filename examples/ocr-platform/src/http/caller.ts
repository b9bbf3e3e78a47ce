import { problem } from '@commonhold/server';
import type { Session, SessionEndReason } from 'commonhold';
import type { FastifyRequest } from 'fastify';
import type { OcrState, SessionData } from '../ocr-state.js';

/** Who makes a request. */
export interface Caller {
  readonly userId: string;
  readonly session: Session<SessionData>;
}

/** The token of `Authorization: Bearer <token>`; empty when there is none. */
export function bearerToken(request: FastifyRequest): string {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
}

/** The session that the request's token opens; 401 when there is none. */
export async function requireCaller(state: OcrState, request: FastifyRequest): Promise<Caller> {
  const { session, reason } = await state.sessions.read(bearerToken(request));
  if (session?.user !== undefined) return { userId: session.user, session };
  throw refusal(reason);
}

/** The 401 for a token that opens no session. */
export function refusal(reason: SessionEndReason | undefined): Error {
  return problem(401, endText(reason), { headers: { 'WWW-Authenticate': 'Bearer' } });
}

/** What people are told of a session that is no more. */
export function endText(reason: SessionEndReason | undefined): string {
  return reason === 'idle' ? 'Session expired due to inactivity' : 'Invalid session';
}
