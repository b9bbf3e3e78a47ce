import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** What a handler made of its response. */
export interface HeldAnswer {
  readonly status: number;
  /** Undefined when it was longer than what is held: then it is on its way already. */
  readonly body: Buffer | undefined;
}

/** A response that nothing leaves until it is whole, or longer than what may be held. */
export interface HeldResponse {
  /** Resolves when the handler has ended its answer; undefined when the connection is gone and nothing more will come. */
  readonly answer: Promise<HeldAnswer | undefined>;
  /** Says that nothing more comes from the handler but what it has handed to streams. */
  handled(): void;
  /** Lets the answer go; or `body` in its place. */
  release(body?: Buffer): void;
}

type Done = ((error?: Error | null) => void) | undefined;

/** Holds back what is written to `response`, up to `mostBytes`. */
export function holdResponse(response: ServerResponse, mostBytes: number): HeldResponse {
  const held = new Holding(response, mostBytes);
  return { answer: held.answer, handled: () => held.handled(), release: (body) => held.release(body) };
}

class Holding {
  readonly answer: Promise<HeldAnswer | undefined>;
  readonly #response: ServerResponse;
  readonly #mostBytes: number;
  readonly #chunks: Buffer[] = [];
  readonly #done: Done[] = [];
  #length = 0;
  #begun = false;
  #ended = false;
  #passing = false;
  #resolve: (answer: HeldAnswer | undefined) => void = () => undefined;

  constructor(response: ServerResponse, mostBytes: number) {
    this.#response = response;
    this.#mostBytes = mostBytes;
    this.answer = new Promise((resolve) => (this.#resolve = resolve));
    // On the object itself: what the class says is found again once these are deleted.
    Object.defineProperties(response, {
      headersSent: { configurable: true, get: () => this.#begun },
      writeHead: own((status: number, reason?: string | HeaderArgument, headers?: HeaderArgument) =>
        this.#writeHead(status, reason, headers),
      ),
      flushHeaders: own(() => void (this.#begun = true)),
      write: own((chunk: unknown, encoding?: unknown, done?: unknown) => this.#write(chunk, encoding, done)),
      end: own((chunk?: unknown, encoding?: unknown, done?: unknown) => this.#end(chunk, encoding, done)),
    });
  }

  handled(): void {
    if (this.#ended) return;
    const gone = (): void => (this.#ended ? undefined : this.#resolve(undefined));
    if (this.#response.destroyed) gone();
    else this.#response.once('close', gone);
  }

  release(body: Buffer = Buffer.concat(this.#chunks)): void {
    this.#letGo();
    if (this.#response.destroyed) return;
    this.#response.end(body, () => {
      for (const done of this.#done) done?.();
    });
  }

  #writeHead(status: number, reason?: string | HeaderArgument, headers?: HeaderArgument): ServerResponse {
    const response = this.#response;
    this.#begun = true;
    response.statusCode = status;
    if (typeof reason === 'string') response.statusMessage = reason;
    const pairs = headerPairs(typeof reason === 'string' ? headers : reason);
    // A list may name a header several times, such as `Set-Cookie`; together they replace what was set before.
    for (const [name] of pairs) response.removeHeader(name);
    for (const [name, value] of pairs) response.appendHeader(name, typeof value === 'number' ? String(value) : value);
    return response;
  }

  #write(chunk: unknown, encoding: unknown, done: unknown): boolean {
    const [bytes, callback] = [bytesOf(chunk, encoding), callbackOf(encoding, done)];
    this.#begun = true;
    if (this.#length + bytes.length > this.#mostBytes) return this.#overflow(bytes, callback);
    this.#length += bytes.length;
    this.#chunks.push(bytes);
    if (callback !== undefined) queueMicrotask(() => callback());
    return true;
  }

  #end(chunk: unknown, encoding: unknown, done: unknown): ServerResponse {
    if (this.#ended) return this.#response;
    const body = typeof chunk === 'function' ? undefined : chunk;
    if (body !== undefined && body !== null) this.#write(body, encoding, undefined);
    this.#done.push(callbackOf(chunk, encoding) ?? callbackOf(undefined, done));
    if (this.#passing) return this.#response.end(() => this.#done.forEach((call) => call?.()));
    this.#ended = true;
    this.#begun = true;
    this.#resolve({ status: this.#response.statusCode, body: Buffer.concat(this.#chunks) });
    return this.#response;
  }

  // Nothing is held any more: the client gets it as it comes.
  #overflow(bytes: Buffer, callback: Done): boolean {
    this.#passing = true;
    this.#ended = true;
    this.#letGo();
    this.#resolve({ status: this.#response.statusCode, body: undefined });
    for (const chunk of this.#chunks.splice(0)) this.#response.write(chunk);
    return this.#response.write(bytes, callback);
  }

  #letGo(): void {
    for (const name of ['headersSent', 'writeHead', 'flushHeaders', 'write', 'end']) {
      Reflect.deleteProperty(this.#response, name);
    }
  }
}

type HeaderArgument = OutgoingHttpHeaders | readonly unknown[];

function own(value: (...args: never[]) => unknown): PropertyDescriptor {
  return { configurable: true, writable: true, value };
}

// Node takes headers as an object, as a list of pairs, or as a flat list.
function headerPairs(headers: HeaderArgument | undefined): [string, string | number | readonly string[]][] {
  if (headers === undefined) return [];
  if (!Array.isArray(headers)) {
    return Object.entries(headers as OutgoingHttpHeaders).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    );
  }
  if (Array.isArray(headers[0])) return headers as [string, string][];
  return Array.from({ length: headers.length / 2 }, (_, n) => [headers[2 * n] as string, headers[2 * n + 1] as string]);
}

function bytesOf(chunk: unknown, encoding: unknown): Buffer {
  if (typeof chunk === 'string') {
    return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
  }
  return Buffer.from(chunk as Uint8Array);
}

function callbackOf(first: unknown, second: unknown): Done {
  const found = typeof first === 'function' ? first : second;
  return typeof found === 'function' ? (found as Done) : undefined;
}
