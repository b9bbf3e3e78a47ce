import { isCommonholdError } from 'commonhold';
import type { Namespace, Socket } from 'socket.io';
import { endText } from '../http/caller.js';
import type { OcrState } from '../ocr-state.js';
import { SessionWatch } from './session-watch.js';
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

/** Serves `task_update` events on a namespace to whoever shows a live session. */
export class TaskSockets {
  readonly #state: OcrState;
  readonly #connections = new Map<Socket, TaskConnection>();
  readonly #byUser = new Map<string, Set<TaskConnection>>();
  readonly #watch: SessionWatch;

  /** Use {@link openTaskSockets}. */
  constructor(namespace: Namespace, state: OcrState) {
    this.#state = state;
    this.#watch = new SessionWatch(state, this.#byUser);
    namespace.use((socket, next) => void this.#answer(socket, next));
    namespace.on('connection', (socket) => {
      socket.once('disconnect', () => this.#drop(socket));
      this.#connections.get(socket)?.begin();
    });
  }

  async open(): Promise<void> {
    await this.#watch.open();
  }

  /** Looks after sessions no more. The sockets are the server's to close, in a way that sends clients elsewhere. */
  close(): void {
    this.#watch.close();
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
    const { session, reason } = await this.#state.sessions.read(token);
    if (session?.user === undefined) throw new Refusal(401, endText(reason));
    const connection = new TaskConnection(socket, session.user, session.id);
    this.#enter(socket, connection);
    try {
      await connection.open(this.#state.tasks, lastId);
    } catch (error) {
      this.#drop(socket);
      throw error;
    }
  }

  #enter(socket: Socket, connection: TaskConnection): void {
    const own = this.#byUser.get(connection.userId) ?? new Set();
    if (own.size >= mostPerUser) {
      throw new Refusal(429, `At most ${mostPerUser} connections of one user are open at a time.`);
    }
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

/** Opens the sockets of `namespace`. */
export async function openTaskSockets(namespace: Namespace, state: OcrState): Promise<TaskSockets> {
  const sockets = new TaskSockets(namespace, state);
  await sockets.open();
  return sockets;
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
