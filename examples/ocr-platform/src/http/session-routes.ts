import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { EndedSessions, OcrState } from '../ocr-state.js';
import { bearerToken, refusal, requireCaller } from './caller.js';

/** `GET /me`, `GET /sessions`, `POST /logout` and `POST /logout-all`. */
export function sessionRoutes(http: FastifyInstance, state: OcrState): void {
  http.get('/me', async (request) => {
    const { userId, session } = await requireCaller(state, request);
    const { email, role } = session.data;
    return { user_id: userId, email, role, created_at: session.createdAtMs, last_activity: session.lastActivityAtMs };
  });

  http.get('/sessions', async (request) => {
    const caller = await requireCaller(state, request);
    const sessions = await state.sessions.list(caller.userId);
    return {
      sessions: sessions.map((session) => ({
        created_at: session.createdAtMs,
        last_activity: session.lastActivityAtMs,
        user_agent: session.data.user_agent ?? '',
        current: session.id === caller.session.id,
      })),
    };
  });

  http.post('/logout', async (request) => {
    const { userId, session } = await requireCaller(state, request);
    const revoked = await state.sessions.revoke(bearerToken(request));
    if (!revoked) throw refusal('revoked');
    await announceEnd(state, request.log, { user: userId, session: session.id });
    return { revoked: 1 };
  });

  http.post('/logout-all', async (request) => {
    const { userId } = await requireCaller(state, request);
    const revoked = await state.sessions.revokeAll(userId);
    await announceEnd(state, request.log, { user: userId });
    return { revoked };
  });
}

// The sessions have ended by then. Should this message be lost, sockets are closed by the next look at their sessions.
async function announceEnd(state: OcrState, log: FastifyBaseLogger, ended: EndedSessions): Promise<void> {
  await state.ended.publish(ended).catch((error: unknown) => {
    log.warn({ error: String(error) }, 'an ended session could not be announced');
  });
}
