import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server as Engine } from 'engine.io';
import type { FastifyBaseLogger } from 'fastify';
import { Server } from 'socket.io';
import { type Problem, problem } from '../http/problem.js';
import { problemOf, stopping } from '../http/problem-of.js';
import { endWithProblem } from '../http/raw-problem.js';
import { guardNamespace } from './guard-namespace.js';
import { originAllowed } from './origin.js';

const path = '/socket.io/';
/** The largest message of a client (S20). */
const maxMessageBytes = 65_536;
/** How long a client may take to enter a namespace. */
const connectTimeoutMs = 10_000;
/** How long a client may take to answer that its socket is closed. */
const goodbyeMs = 1_000;

/**
 * Socket.IO over WebSocket alone: no polling, so that a balancer needs no sticky sessions. It is not attached to the HTTP
 * server but given the upgrades, because then a refusal has its own status and `close()` leaves HTTP alone.
 */
export class Sockets {
  readonly io: Server;
  readonly #engine: Engine;
  readonly #allowedOrigins: ReadonlySet<string>;
  readonly #open = new Set<Duplex>();
  #closing = false;

  constructor(allowedOrigins: ReadonlySet<string>, log: FastifyBaseLogger) {
    this.#allowedOrigins = allowedOrigins;
    this.#engine = new Engine({
      transports: ['websocket'],
      maxHttpBufferSize: maxMessageBytes,
      perMessageDeflate: false,
      allowUpgrades: false,
    });
    this.io = new Server({ serveClient: false, connectTimeout: connectTimeoutMs });
    this.io.bind(this.#engine);
    this.io.on('new_namespace', (namespace) =>
      guardNamespace(namespace, (error, name) => {
        // A store that is away is no news with every message.
        const level = problemOf(error) === undefined ? 'error' : 'debug';
        log[level]({ err: error, namespace: name }, 'a socket listener failed');
      }),
    );
    // Each system has a namespace of its own, with its own rules; the one that always exists has none.
    this.io.use((_socket, next) => next(new Error('Connect to the namespace of a system')));
  }

  /** Listener of the HTTP server's `upgrade`. */
  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) return endWithProblem(socket, refusal);
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    this.#engine.handleUpgrade(request, socket, head);
  };

  /**
   * Closes every socket in a way that makes clients connect again, to another process or the next one; resolves when all
   * are closed. Those of clients that do not answer are cut off after a second.
   */
  async close(): Promise<void> {
    this.#closing = true;
    await this.io.close();
    const goodbye = AbortSignal.timeout(goodbyeMs);
    while (this.#open.size > 0 && !goodbye.aborted) await sleep(10);
    for (const socket of this.#open) socket.destroy();
  }

  #refusal({ url = '', headers }: IncomingMessage): Problem | undefined {
    if (this.#closing) return stopping();
    if (!url.startsWith(`${path}?`)) return problem(404, `Sockets are at ${path} alone.`);
    if (originAllowed(headers.origin, headers.host, this.#allowedOrigins)) return undefined;
    return problem(403, 'Pages of this origin may not open sockets here. ALLOWED_ORIGINS lists those that may.');
  }
}
