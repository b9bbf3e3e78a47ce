import type { Environment, OpenOptions, SharedState } from 'commonhold';
import type { FastifyInstance } from 'fastify';
import type { Server as SocketServer } from 'socket.io';

/** One application that the server mounts: the OCR platform, for one. */
export interface System {
  /** Its path under the state server and its Socket.IO namespace, without the slash: `ocr`. */
  readonly name: string;
  /** What people read on the index page. */
  readonly title: string;
  readonly description: string;
  /** Registers routes (paths relative to its own root), sockets and workers. */
  mount(host: SystemHost): Promise<MountedSystem>;
}

/** What a system is given. */
export interface SystemHost {
  /** Fastify, scoped to the system's path. */
  readonly http: FastifyInstance;
  /** The one Socket.IO server; a system uses the namespace of its name. */
  readonly sockets: SocketServer;
  readonly environment: Environment;
  /** Directory for this system's files, made already. */
  readonly dataDirectory: string;
  /** Opens state in a namespace of the system's own; the server reports its health and closes it. */
  openState(options: OpenOptions & { readonly namespace: string }): Promise<SharedState>;
}

export interface MountedSystem {
  /** Proves that a service of the system's own, such as a database, takes writes; while it rejects, `/ready` is 503. */
  probe?(): Promise<void>;
  /** Takes no more work and resolves when what runs has ended; called before state and HTTP are closed. */
  close(): Promise<void>;
}
