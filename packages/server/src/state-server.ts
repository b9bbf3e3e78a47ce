import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from 'commonhold';
import type { FastifyInstance } from 'fastify';
import { addHealthRoutes, type Health, healthOf } from './health.js';
import { createHttp } from './http/create-http.js';
import { Gate } from './http/gate.js';
import { problem } from './http/problem.js';
import type { LogStream } from './http/request-log.js';
import { IndexPages } from './index-page.js';
import type { Settings } from './settings.js';
import { Sockets } from './sockets/sockets.js';
import { StartError } from './start-error.js';
import { Endings, type StopOptions } from './stop.js';
import type { MountedSystem, System } from './system.js';
import { SystemStates } from './system-states.js';
import { Traffic } from './traffic.js';

/** What a state server is made of. */
export interface StateServerOptions {
  readonly systems: readonly System[];
  readonly atRoot: boolean;
  readonly environment: Environment;
  readonly settings: Settings;
  readonly logLevel: string;
  readonly logStream: LogStream | undefined;
}

/** HTTP, sockets and systems of one process, from the first to the last. */
export class StateServer {
  readonly http: FastifyInstance;
  readonly #options: StateServerOptions;
  readonly #gate = new Gate();
  readonly #sockets: Sockets;
  readonly #states = new SystemStates();
  readonly #mounted = new Map<string, MountedSystem>();
  readonly #traffic: Traffic;
  /** The probe under way: whoever may ask for it can do so without end. */
  #probing: Promise<string[]> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: StateServerOptions) {
    const { settings, logLevel, logStream } = options;
    this.#options = options;
    this.http = createHttp({ gate: this.#gate, trustProxy: settings.trustProxy, logLevel, logStream });
    this.#traffic = new Traffic(this.http);
    this.#sockets = new Sockets(settings.allowedOrigins, this.http.log);
  }

  get url(): string {
    const { host, port } = this.#gate.address();
    return `http://${host}:${port}`;
  }

  /** Where the state lives, for people. */
  get place(): string {
    return this.#states.place();
  }

  /** Takes the port, mounts the systems, then lets requests in. */
  async start(): Promise<void> {
    const { host, port } = this.#options.settings;
    await this.#gate.listen(host, port);
    this.#gate.server.on('error', (error) => this.http.log.error({ err: error }, 'the HTTP server failed'));
    this.#gate.server.on('upgrade', this.#sockets.upgrade);
    const { systems, atRoot } = this.#options;
    const health = (): Health => healthOf(this.#states.statuses());
    const pages = new IndexPages(this.http, { systems, atRoot, health });
    for (const system of systems) await this.#mount(system);
    this.#addOwnRoutes(pages);
    await this.http.ready();
    this.#gate.open();
  }

  /** As `RunningServer.stop`. */
  stop(options: StopOptions = {}): Promise<void> {
    this.#stopped ??= this.#stop(options);
    return this.#stopped;
  }

  async #mount(system: System): Promise<void> {
    const { atRoot, environment } = this.#options;
    const dataDirectory = await this.#makeDirectory(system.name);
    const prefix = atRoot ? '' : `/${system.name}`;
    await this.http.register(
      async (http) => {
        const mounted = await system.mount({
          http,
          sockets: this.#sockets.io,
          environment,
          dataDirectory,
          openState: (options) => this.#states.open({ environment, log: this.http.log, ...options }),
        });
        this.#mounted.set(system.name, mounted);
      },
      { prefix },
    );
  }

  async #makeDirectory(name: string): Promise<string> {
    const { dataDirectory } = this.#options.settings;
    const path = join(dataDirectory, name);
    try {
      // What users upload is nobody else's to read.
      await mkdir(path, { recursive: true, mode: 0o700 });
    } catch (error) {
      const { message } = error as Error;
      throw new StartError(`DATA_DIR=${dataDirectory} cannot be used: ${message}`, { cause: error });
    }
    return path;
  }

  /** After the systems, which may have some of these routes themselves. */
  #addOwnRoutes(pages: IndexPages): void {
    addHealthRoutes(this.http, {
      statuses: () => this.#states.statuses(),
      probe: () => (this.#probing ??= this.#probe().finally(() => (this.#probing = undefined))),
      draining: () => this.#traffic.draining,
    });
    pages.add();
    this.http.all('/socket.io/*', async () => {
      throw problem(400, "Sockets use WebSocket alone: connect with { transports: ['websocket'] }.");
    });
  }

  /** Names of the stores and systems that fail their probe. */
  async #probe(): Promise<string[]> {
    const systems = [...this.#mounted].map(async ([name, system]) => {
      const works = await (system.probe?.() ?? Promise.resolve()).then(
        () => true,
        () => false,
      );
      return works ? [] : [`a service of ${name}`];
    });
    return [...(await this.#states.probe()), ...(await Promise.all(systems)).flat()];
  }

  async #stop({ noticeMs = 0, withinMs = this.#options.settings.stopWithinMs }: StopOptions): Promise<void> {
    const endings = new Endings();
    try {
      await endings.within(this.#end(endings, noticeMs), withinMs);
    } catch (error) {
      this.#gate.cutConnections();
      throw error;
    }
  }

  /** Who gives work goes before who does it, and what everybody needs goes last. */
  async #end(endings: Endings, noticeMs: number): Promise<void> {
    this.#traffic.drain();
    await sleep(noticeMs);
    this.#traffic.refuse();
    this.#gate.stopListening();
    const answered = endings.wait(() => this.#traffic.describe(), this.#traffic.quiet());
    // Even one that throws instead of rejecting must not keep the rest from ending.
    const close = async (system: MountedSystem): Promise<void> => system.close();
    await Promise.all([...this.#mounted].map(([name, system]) => endings.wait(`system ${name}`, close(system))));
    await endings.wait('sockets', this.#sockets.close());
    await answered;
    await endings.wait('connections', this.#gate.endConnections());
    await endings.wait('plugins', this.http.close());
    await endings.wait('state', this.#states.close());
  }
}
