import { type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** How to ask. */
export interface AskOptions {
  readonly body?: unknown;
  /** A Cookie header instead of the browser's own. */
  readonly cookie?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The address to ask from: all of 127.0.0.0/8 is ours. */
  readonly from?: string;
  /** The authority that vouches for the server: asks over TLS. */
  readonly ca?: string;
}

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Each Set-Cookie header, whole. */
  readonly cookies: readonly string[];
  readonly json: Record<string, unknown>;
}

/** One request on a connection of its own. */
export function ask(port: number, path: string, options: AskOptions = {}): Promise<Answer> {
  const { body, cookie, headers, from, ca } = options;
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const settings: RequestOptions & { ca?: string } = {
    host: '127.0.0.1',
    port,
    path,
    method: sent === undefined ? 'GET' : 'POST',
    agent: false,
    headers: {
      ...(sent === undefined ? {} : { 'Content-Type': 'text/plain', 'Content-Length': Buffer.byteLength(sent) }),
      ...(cookie === undefined ? {} : { Cookie: cookie }),
      ...headers,
    },
    ...(from === undefined ? {} : { localAddress: from }),
    ...(ca === undefined ? {} : { ca, servername: 'localhost' }),
  };
  return new Promise((resolve, reject) => {
    const request = (ca === undefined ? httpRequest : httpsRequest)(settings, (response) => {
      readAll(response).then(resolve, reject);
    });
    request.on('error', reject);
    request.end(sent);
  });
}

async function readAll(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    cookies: response.headers['set-cookie'] ?? [],
    json: (text.startsWith('{') ? JSON.parse(text) : { value: text }) as Record<string, unknown>,
  };
}

/** Keeps cookies by name, as a browser does. */
export class Browser {
  readonly cookies = new Map<string, string>();
  readonly port: number;

  constructor(port: number) {
    this.port = port;
  }

  /** The cookies as they are sent. */
  get header(): string {
    return Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join('; ');
  }

  async ask(path: string, options: AskOptions & { readonly port?: number } = {}): Promise<Answer> {
    const cookie = options.cookie ?? this.header;
    const answer = await ask(options.port ?? this.port, path, { ...options, ...(cookie === '' ? {} : { cookie }) });
    for (const line of answer.cookies) this.#keep(line);
    return answer;
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split('; ');
    const [name = '', value = ''] = pair.split('=');
    if (attributes.includes('Max-Age=0')) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}
