import { randomUUID } from 'node:crypto';
import { BusyError, clientNetwork, hashPassword, problem, verifyPassword } from '@commonhold/server';
import { rateLimitHeaders } from 'commonhold';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type OcrState, sessionLifetimeMs } from '../ocr-state.js';

const shortestPassword = 8;
/** No one types more, and hashing is not free. */
const longestPassword = 1_024;
const longestEmail = 254;
/** Credentials are small. */
const bodyLimit: number = 16 * 1_024;

interface Credentials {
  readonly email: string;
  readonly password: string;
}

const text = { type: 'string' } as const;
const loginSchema = {
  body: { type: 'object', required: ['email', 'password'], properties: { email: text, password: text } },
} as const;
const userSchema = {
  body: { ...loginSchema.body, properties: { ...loginSchema.body.properties, role: text } },
} as const;

/** `POST /users` and `POST /login`. */
export function userRoutes(http: FastifyInstance, state: OcrState): void {
  const { accounts } = state;
  const users = { bodyLimit, schema: userSchema };
  http.post<{ Body: Credentials & { readonly role?: string } }>('/users', users, async ({ body }, reply) => {
    const email = checkEmail(body.email);
    const password = checkPassword(body.password);
    const role = checkRole(body.role ?? 'user');
    const user_id = randomUUID();
    const password_hash = await whenFree(() => hashPassword(password));
    const added = await accounts.add({ user_id, email, role, password_hash, created_at: Date.now() });
    if (!added) throw problem(409, 'An account with this e-mail address exists.');
    return reply.code(201).send({ user_id });
  });

  const login = { bodyLimit, schema: loginSchema };
  http.post<{ Body: Credentials }>('/login', login, async (request, reply) => {
    const { email, password } = request.body;
    await admitLogin(state, request, reply, email);
    const account = await accounts.find(email);
    const right = await whenFree(() => verifyPassword(password.slice(0, longestPassword + 1), account?.password_hash));
    if (!right || account === undefined) throw problem(401, 'The e-mail address or the password is wrong.');
    const { token, session } = await state.sessions.create({
      user: account.user_id,
      data: { email: account.email, role: account.role },
      device: { userAgent: request.headers['user-agent'] },
    });
    return { token, expires_at: session.createdAtMs + sessionLifetimeMs };
  });
}

/** Counts a try of this address at this account; 429 beyond the limit. Rejects, and so refuses, while the store is away. */
async function admitLogin(state: OcrState, request: FastifyRequest, reply: FastifyReply, email: string): Promise<void> {
  const account = email.toLowerCase().slice(0, longestEmail).toWellFormed();
  const verdict = await state.logins.consume(`${clientNetwork(request.ip)} ${account}`);
  void reply.headers(rateLimitHeaders(verdict));
  if (!verdict.allowed) throw problem(429, 'Too many tries to log in; wait a moment.');
}

async function whenFree<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BusyError) throw problem(503, error.message);
    throw error;
  }
}

function checkEmail(email: string): string {
  const good = email.length <= longestEmail && email.isWellFormed() && /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(email);
  if (good) return email;
  throw problem(422, '"email" must be an e-mail address.');
}

function checkPassword(password: string): string {
  if (password.length >= shortestPassword && password.length <= longestPassword) return password;
  throw problem(422, `"password" must have ${shortestPassword} to ${longestPassword} characters.`);
}

function checkRole(role: string): string {
  if (/^[a-z][a-z0-9_-]{0,31}$/.test(role)) return role;
  throw problem(422, '"role" must be 1 to 32 lower-case letters, digits, "_" or "-", beginning with a letter.');
}
