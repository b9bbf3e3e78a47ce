import type { FastifyInstance } from 'fastify';
import type { OcrState } from '../ocr-state.js';
import { bearerToken, refusal, requireCaller } from './caller.js';

/** `GET /me`, `GET /sessions`, `POST /logout` and `POST /logout-all`. */
export function sessionRoutes(http: FastifyInstance, state: OcrState): void {
  http.get('/me', async (request) => {
    const { userId, session } = await requireCaller(state, request);
    const { email, role } = session.data;
    return { user_id: userId, email, role, created_at: session.createdAtMs, last_activity: session.lastActivityAtMs };
  });

  http.get('/sessions', async (request) => {
    const { userId } = await requireCaller(state, request);
    const sessions = await state.sessions.list(userId, { current: bearerToken(request) });
    return {
      sessions: sessions.map(({ createdAtMs, lastActivityAtMs, device, current }) => ({
        created_at: createdAtMs,
        last_activity: lastActivityAtMs,
        user_agent: device?.userAgent ?? '',
        current,
      })),
    };
  });

  http.post('/logout', async (request) => {
    await requireCaller(state, request);
    const revoked = await state.sessions.revoke(bearerToken(request));
    if (!revoked) throw refusal('revoked');
    return { revoked: 1 };
  });

  http.post('/logout-all', async (request) => {
    const { userId } = await requireCaller(state, request);
    return { revoked: await state.sessions.revokeAll(userId) };
  });
}
