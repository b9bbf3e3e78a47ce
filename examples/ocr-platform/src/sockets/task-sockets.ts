import { isCommonholdError } from 'commonhold';
import type { Namespace, Socket } from 'socket.io';
import { endText } from '../http/caller.js';
import type { OcrState } from '../ocr-state.js';
import { TaskConnection } from './task-connection.js';

/** More than a person has tabs; a bound on what one account can make this process hold. */
const mostPerUser = 20;

/** Why a socket was refused. `data.status` reads as in HTTP: 503 is worth another try, 401 is not. */
class Refusal extends Error {
  readonly data: { readonly status: number };

  constructor(status: number, message: string) {
    super(message);
    this.data = { status };
  }
}

/** Serves `task_update` events on a namespace to whoever shows a live session, for as long as that lives. */
class TaskSockets {
  readonly #state: OcrState;
  readonly #connections = new Map<Socket, TaskConnection>();
  readonly #byUser = new Map<string, Set<TaskConnection>>();

  constructor(namespace: Namespace, state: OcrState) {
    this.#state = state;
    namespace.use((socket, next) => void this.#answer(socket, next));
    namespace.on('connection', (socket) => {
      socket.once('disconnect', () => this.#drop(socket));
      this.#connections.get(socket)?.begin();
    });
  }

  async #answer(socket: Socket, next: (refusal?: Error) => void): Promise<void> {
    try {
      await this.#admit(socket);
    } catch (error) {
      return next(asRefusal(error));
    }
    next();
  }

  async #admit(socket: Socket): Promise<void> {
    const { token, lastId } = readHandshake(socket.handshake.auth);
    const ended = new AbortController();
    const { session, reason, close } = await this.#state.sessions.watch(token, () => ended.abort());
    if (session?.user === undefined || ended.signal.aborted) {
      close();
      throw new Refusal(401, endText(reason));
    }
    const connection = new TaskConnection(socket, session.user, close);
    ended.signal.addEventListener('abort', () => connection.end());
    try {
      this.#enter(socket, connection);
      await connection.open(this.#state.tasks, lastId);
    } catch (error) {
      connection.close();
      this.#drop(socket);
      throw error;
    }
  }

  #enter(socket: Socket, connection: TaskConnection): void {
    const own = this.#byUser.get(connection.userId) ?? new Set();
    if (own.size >= mostPerUser) {
      throw new Refusal(429, `At most ${mostPerUser} connections of one user are open at a time.`);
    }
    // Its link may be gone by now, and then nothing more is heard of it.
    if (socket.conn.readyState !== 'open') throw new Refusal(503, 'The connection was lost.');
    this.#byUser.set(connection.userId, own.add(connection));
    this.#connections.set(socket, connection);
    // A link that breaks before the socket is connected brings no `disconnect`.
    socket.conn.once('close', () => this.#drop(socket));
  }

  #drop(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    connection.close();
    this.#connections.delete(socket);
    const own = this.#byUser.get(connection.userId);
    own?.delete(connection);
    if (own?.size === 0) this.#byUser.delete(connection.userId);
  }
}

/** Opens the sockets of `namespace`. They are the server's to close. */
export function openTaskSockets(namespace: Namespace, state: OcrState): void {
  void new TaskSockets(namespace, state);
}

function readHandshake(auth: Readonly<Record<string, unknown>>): { token: string; lastId: string | undefined } {
  const { token, last_id: lastId } = auth;
  if (typeof token !== 'string') throw new Refusal(401, endText('absent'));
  if (lastId === undefined || lastId === null || lastId === '') return { token, lastId: undefined };
  if (typeof lastId === 'string' && /^\d{1,15}-\d{1,15}$/.test(lastId)) return { token, lastId };
  throw new Refusal(400, '"last_id" must be the id of a task_update.');
}

function asRefusal(error: unknown): Error {
  if (error instanceof Refusal) return error;
  if (isCommonholdError(error) && error.code === 'InvalidArgument') return new Refusal(400, error.message);
  return new Refusal(503, 'The sessions cannot be read now; try again later.');
}
