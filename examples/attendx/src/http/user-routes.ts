import { randomUUID } from 'node:crypto';
import { BusyError, clientNetwork, hashPassword, problem, verifyPassword } from '@commonhold/server';
import { limitRequests, sessionOf } from 'commonhold/fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { addUser, findAccount, readProfile, renameUser } from '../accounts/profiles.js';
import type { AttendxState } from '../attendx-state.js';
import { requireUser } from './caller.js';
import { checkEmail, checkName, checkPassword, longestPassword } from './checks.js';

/** Credentials are small. */
const bodyLimit: number = 16 * 1_024;

const text = { type: 'string' } as const;
const loginSchema = {
  body: { type: 'object', required: ['email', 'password'], properties: { email: text, password: text } },
} as const;
const userSchema = {
  body: {
    type: 'object',
    required: ['email', 'password', 'name'],
    properties: { ...loginSchema.body.properties, name: text },
  },
} as const;
const renameSchema = {
  body: { type: 'object', required: ['name'], additionalProperties: false, properties: { name: text } },
} as const;

interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** `POST /users`, `POST /login`, `POST /logout`, `GET /me`, and `GET` and `PATCH /api/users/:id`. */
export function userRoutes(http: FastifyInstance, state: AttendxState): void {
  accountRoutes(http, state);
  profileRoutes(http, state);
}

function accountRoutes(http: FastifyInstance, state: AttendxState): void {
  const users = { bodyLimit, schema: userSchema };
  http.post<{ Body: Credentials & { readonly name: string } }>('/users', users, async ({ body }, reply) => {
    const email = checkEmail(body.email);
    const password = checkPassword(body.password);
    const name = checkName(body.name);
    const user_id = randomUUID();
    const password_hash = await whenFree(() => hashPassword(password));
    const profile = { user_id, email, name, created_at: Date.now() };
    const added = await addUser(state, { user_id, email, password_hash }, profile);
    if (!added) throw problem(409, 'An account with this e-mail address exists.');
    return reply.code(201).send({ user_id });
  });

  const login = {
    bodyLimit,
    schema: loginSchema,
    preHandler: limitRequests(state.logins, { subject: addressAndEmail }),
  };
  http.post<{ Body: Credentials }>('/login', login, async (request) => {
    const { email, password } = request.body;
    const account = await findAccount(state, email);
    const right = await whenFree(() => verifyPassword(password.slice(0, longestPassword + 1), account?.password_hash));
    if (!right || account === undefined) throw problem(401, 'The e-mail address or the password is wrong.');
    const { user_id } = account;
    await sessionOf(request, state.sessions).login(user_id, { user_id, email: account.email });
    return { user_id, email: account.email };
  });

  http.post('/logout', async (request) => {
    requireUser(state, request);
    return { revoked: Number(await sessionOf(request, state.sessions).logout()) };
  });
}

function profileRoutes(http: FastifyInstance, state: AttendxState): void {
  http.get('/me', async (request) => {
    const user_id = requireUser(state, request);
    return profileOf(state, user_id);
  });

  http.get<{ Params: { id: string } }>('/api/users/:id', async (request) => {
    const user_id = requireUser(state, request);
    if (request.params.id !== user_id) throw nobody();
    return profileOf(state, user_id);
  });

  const rename = { bodyLimit, schema: renameSchema };
  http.patch<{ Params: { id: string }; Body: { name: string } }>('/api/users/:id', rename, async (request) => {
    const user_id = requireUser(state, request);
    if (request.params.id !== user_id) throw nobody();
    const profile = await renameUser(state, user_id, checkName(request.body.name));
    if (profile === undefined) throw nobody();
    return profile;
  });
}

async function profileOf(state: AttendxState, userId: string): Promise<object> {
  const profile = await readProfile(state, userId);
  if (profile === undefined) throw nobody();
  return profile;
}

/** A user of somebody else's is answered like one who does not exist. */
function nobody(): Error {
  return problem(404, 'There is no such user, or it is not you.');
}

function addressAndEmail(request: FastifyRequest): string {
  const { email } = request.body as Credentials;
  return `${clientNetwork(request.ip)} ${email.toLowerCase().slice(0, 254).toWellFormed()}`;
}

async function whenFree<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BusyError) throw problem(503, error.message, { headers: { 'Retry-After': '1' } });
    throw error;
  }
}
