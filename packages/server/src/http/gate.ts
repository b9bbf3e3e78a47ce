import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { StartError } from '../start-error.js';
import { problem } from './problem.js';
import { answerBare } from './raw-problem.js';

/** How long headers may take, so that a connection which sends a byte now and then does not stay (S23). */
const headersTimeout = 10_000;
/** How long a whole request may take to arrive: 20 MB at 2 Mbit/s need 80 s. */
const requestTimeout = 120_000;
/** How often both are looked at. */
const connectionsCheckingInterval = 2_000;
/** Longer than the 60 s that proxies keep theirs, or they would write to a connection that is being closed. */
const keepAliveTimeout = 72_000;
/** How long connections may take to end by themselves once nothing is asked on them. */
const goodbyeMs = 500;
const maxHeaderSize = 16_384;
const maxHeadersCount = 100;

/**
 * The HTTP server itself. It takes the port before anything else is begun, so that a second start on the same port ends
 * at once and does no work; requests that come before `open()` wait for it.
 */
export class Gate {
  readonly server: Server;
  #handler: RequestListener = () => undefined;
  #waiting: [IncomingMessage, ServerResponse][] | undefined = [];

  constructor() {
    const options = { headersTimeout, requestTimeout, connectionsCheckingInterval, keepAliveTimeout, maxHeaderSize };
    this.server = createServer(options, (request, response) => {
      if (this.#waiting === undefined) this.#handler(request, response);
      else this.#waiting.push([request, response]);
    });
    this.server.maxHeadersCount = maxHeadersCount;
    this.server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
      answerBare(response, problem(417, 'Nothing but "100-continue" can be expected.'));
    });
  }

  /** Fastify's `serverFactory`. */
  readonly factory = (handler: RequestListener): Server => {
    this.#handler = handler;
    return this.server;
  };

  /** @throws StartError when the address cannot be listened on, saying why and what to do. */
  async listen(host: string, port: number): Promise<void> {
    this.server.listen({ host, port });
    try {
      await once(this.server, 'listening');
    } catch (error) {
      throw new StartError(whyNot(error as NodeJS.ErrnoException, host, port), { cause: error });
    }
  }

  /** Lets requests in, those first that waited. */
  open(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const [request, response] of waiting) this.#handler(request, response);
  }

  /** Takes no more connections, and ends those that are idle. */
  stopListening(): void {
    if (this.server.listening) this.server.close();
  }

  /**
   * Gives the connections half a second to end by themselves, then ends them. Those on which nothing was ever asked, or not
   * yet all of it, count as busy to Node and would stay.
   */
  async endConnections(): Promise<void> {
    this.server.closeIdleConnections();
    const goodbye = AbortSignal.timeout(goodbyeMs);
    while (!goodbye.aborted && (await this.#connections()) > 0) await sleep(10);
    this.cutConnections();
  }

  /** Ends all connections now, whatever is asked on them. */
  cutConnections(): void {
    this.server.closeAllConnections();
  }

  async #connections(): Promise<number> {
    return promisify(this.server.getConnections.bind(this.server))();
  }

  /** Where it listens. */
  address(): { readonly host: string; readonly port: number } {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('The server does not listen on a port');
    return { host: address.family === 'IPv6' ? `[${address.address}]` : address.address, port: address.port };
  }
}

function whyNot(error: NodeJS.ErrnoException, host: string, port: number): string {
  const other = port < 65_535 ? port + 1 : 5000;
  const wrongHost = `HOST=${host} is not an address of this machine. Choose one that is: HOST=127.0.0.1 npm start`;
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} on ${host} is taken. Stop what uses it, or choose another: PORT=${other} npm start`,
    EACCES: `Port ${port} may not be used by this user. Choose one above 1023: PORT=5000 npm start`,
    EADDRNOTAVAIL: wrongHost,
    ENOTFOUND: wrongHost,
  };
  return reasons[error.code ?? ''] ?? `Cannot listen on ${host}, port ${port}: ${error.message}`;
}
