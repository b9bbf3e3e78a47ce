import { Agent, type IncomingMessage, request } from 'node:http';

/** What came back. */
export interface Answer {
  readonly status: number;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly setCookie: readonly string[];
  /** What JSON says; empty when it is none. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** How a visitor comes. */
export interface VisitorOptions {
  /** Where to come from, such as `127.0.0.7`: all of 127/8 is this machine, at least on Linux. Default: as the system chooses. */
  readonly address?: string;
}

const answerWithinMs = 30_000;

/** Somebody with an address and a jar for cookies, who asks the servers in turn. */
export class Visitor {
  readonly #bases: readonly string[];
  readonly #address: string | undefined;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #cookies = new Map<string, string>();
  #asked = 0;

  /** `bases`: URLs without a slash at the end. */
  constructor(bases: readonly string[], { address }: VisitorOptions = {}) {
    this.#bases = bases;
    this.#address = address;
  }

  /** What goes into the header `Cookie`. */
  get cookie(): string {
    return Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join('; ');
  }

  /** Takes a cookie of somebody else's, as `name=value`. */
  takeCookie(cookie: string): void {
    const [name = '', value = ''] = cookie.split('=', 2);
    this.#cookies.set(name, value);
  }

  get(path: string): Promise<Answer> {
    return this.#ask('GET', path);
  }

  post(path: string, body?: unknown): Promise<Answer> {
    return this.#ask('POST', path, body);
  }

  patch(path: string, body: unknown): Promise<Answer> {
    return this.#ask('PATCH', path, body);
  }

  /** Sends bytes as they are. */
  send(path: string, type: string, body: Buffer): Promise<Answer> {
    return this.#request('POST', path, { type, body });
  }

  /** Enrols a person. */
  async enrol(name: string, image: Uint8Array): Promise<Answer> {
    return this.post('/api/enroll', imageForm(image, { name }));
  }

  /** Shows a face. */
  async attend(image: Uint8Array): Promise<Answer> {
    return this.post('/api/attendance', imageForm(image));
  }

  /** Closes the connections. */
  leave(): void {
    this.#agent.destroy();
  }

  async #ask(method: string, path: string, body?: unknown): Promise<Answer> {
    if (body === undefined) return this.#request(method, path);
    const encoded = new Response(body instanceof FormData ? body : JSON.stringify(body));
    const type = body instanceof FormData ? (encoded.headers.get('content-type') ?? '') : 'application/json';
    return this.#request(method, path, { type, body: Buffer.from(await encoded.arrayBuffer()) });
  }

  #request(method: string, path: string, content?: { type: string; body: Buffer }): Promise<Answer> {
    const base = this.#bases[this.#asked++ % this.#bases.length] ?? '';
    const headers: Record<string, string> = {};
    if (this.cookie !== '') headers['cookie'] = this.cookie;
    if (content !== undefined) {
      headers['content-type'] = content.type;
      headers['content-length'] = String(content.body.length);
    }
    return new Promise((resolve, reject) => {
      const place = this.#address === undefined ? {} : { localAddress: this.#address };
      const asked = request(`${base}${path}`, {
        method,
        headers,
        agent: this.#agent,
        timeout: answerWithinMs,
        ...place,
      });
      asked.on('timeout', () => asked.destroy(new Error(`No answer to ${method} ${path}`)));
      asked.on('error', reject);
      asked.on('response', (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => void parts.push(part));
        response.on('error', reject);
        response.on('end', () => resolve(this.#read(response, Buffer.concat(parts).toString())));
      });
      asked.end(content?.body);
    });
  }

  #read({ statusCode = 0, headers }: IncomingMessage, text: string): Answer {
    const setCookie = [headers['set-cookie'] ?? []].flat();
    for (const cookie of setCookie) this.takeCookie(cookie.split(';', 1)[0] ?? '');
    const plain = Object.entries(headers).map(([name, value]) => [name, String(value)]);
    const isJson = /\bjson\b/.test(String(headers['content-type']));
    const json = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
    return { status: statusCode, headers: Object.fromEntries(plain) as Record<string, string>, setCookie, json };
  }
}

/** A form with an image, and fields before it. */
export function imageForm(image: Uint8Array, fields: Readonly<Record<string, string>> = {}): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('image', new Blob([new Uint8Array(image)]), 'image');
  return form;
}
