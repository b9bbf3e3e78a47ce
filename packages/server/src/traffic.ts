import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { sendProblem } from './http/answer-errors.js';
import { stopping } from './http/problem-of.js';

/**
 * Knows the requests in flight, and turns new ones away when the server stops. Three phases:
 *
 * - serving: all is taken.
 * - draining, from `drain()`: all is still taken, and `/ready` says 503. Every answer closes its connection.
 * - refusing, from `refuse()`: new requests get 503; those in flight go on.
 */
export class Traffic {
  /** By connection: a request that was sent behind another one is never answered when the connection ends first. */
  readonly #inFlight = new Map<Socket, Set<FastifyRequest>>();
  #phase: 'serving' | 'draining' | 'refusing' = 'serving';
  #onQuiet: () => void = () => undefined;

  constructor(http: FastifyInstance) {
    http.addHook('onRequest', async (request, reply) => {
      this.#begun(request);
      return this.#phase === 'refusing' ? sendProblem(reply, stopping()) : undefined;
    });
    http.addHook('onSend', async (_request, reply, payload) => {
      if (this.draining) reply.header('Connection', 'close');
      return payload;
    });
    http.addHook('onResponse', async (request) => this.#ended(request));
  }

  get draining(): boolean {
    return this.#phase !== 'serving';
  }

  drain(): void {
    this.#phase = 'draining';
  }

  refuse(): void {
    this.#phase = 'refusing';
  }

  /** Resolves when no request is in flight. */
  quiet(): Promise<void> {
    return new Promise((resolve) => {
      this.#onQuiet = resolve;
      this.#lookForQuiet();
    });
  }

  /** The requests in flight by their routes, for people. */
  describe(): string {
    return this.#requests()
      .map(({ method, routeOptions }) => `${method} ${routeOptions.url ?? ''}`)
      .join(', ');
  }

  #requests(): FastifyRequest[] {
    return [...this.#inFlight.values()].flatMap((requests) => [...requests]);
  }

  #begun(request: FastifyRequest): void {
    const { socket } = request.raw;
    const others = this.#inFlight.get(socket);
    if (others !== undefined) return void others.add(request);
    this.#inFlight.set(socket, new Set([request]));
    socket.once('close', () => {
      this.#inFlight.delete(socket);
      this.#lookForQuiet();
    });
  }

  #ended(request: FastifyRequest): void {
    this.#inFlight.get(request.raw.socket)?.delete(request);
    this.#lookForQuiet();
  }

  #lookForQuiet(): void {
    if (this.draining && this.#requests().length === 0) this.#onQuiet();
  }
}
