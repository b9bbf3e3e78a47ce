import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One argument of a command. Numbers are sent as decimal text. */
export type RespArgument = string | number | Uint8Array;

/** A RESP2 reply. Bulk strings are read as UTF-8; an error inside an array stays a value. */
export type RespReply = string | number | null | Error | readonly RespReply[];

interface Waiter {
  resolve(reply: RespReply): void;
  reject(error: Error): void;
}

/**
 * One connection to a server, speaking just enough RESP2 to look at it from a test. It shares no code with the client
 * under test, so a fault of that client cannot hide itself.
 */
export class RespConnection {
  /** Resolves once the connection is closed, by either side. */
  readonly closed: Promise<void>;
  /** Called with replies nobody asked for: the lines of MONITOR, published messages. */
  onUnsolicited: (reply: RespReply) => void = () => {};
  readonly #socket: Socket;
  readonly #waiters: Waiter[] = [];
  #received: Buffer = Buffer.alloc(0);
  #failure: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket.setNoDelay();
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', (error) => (this.#failure = error));
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#rejectWaiters();
        resolve();
      });
    });
  }

  /** Connects to 127.0.0.1. Rejects when nothing listens there. */
  static async open(port: number): Promise<RespConnection> {
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    return new RespConnection(socket);
  }

  /** Sends one command. Rejects with the text of an error reply, or when the connection closes first. */
  send(...command: readonly RespArgument[]): Promise<RespReply> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(this.#closedError());
      this.#waiters.push({ resolve, reject });
      this.#socket.write(encodeCommand(command));
    });
  }

  /** Closes at once; what is still unanswered rejects. */
  close(): Promise<void> {
    this.#socket.destroy();
    return this.closed;
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    try {
      for (let parsed = parseReply(this.#received, 0); parsed !== undefined; parsed = parseReply(this.#received, 0)) {
        this.#received = this.#received.subarray(parsed.end);
        this.#deliver(parsed.reply);
      }
    } catch (error) {
      // Something else than Redis listens there, or the stream was damaged on purpose: nothing after this can be read.
      this.#socket.destroy(error instanceof Error ? error : new Error('unreadable reply', { cause: error }));
    }
  }

  #deliver(reply: RespReply): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.onUnsolicited(reply);
    else if (reply instanceof Error) waiter.reject(reply);
    else waiter.resolve(reply);
  }

  #rejectWaiters(): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#closedError());
  }

  #closedError(): Error {
    return new Error('the connection to the test server is closed', { cause: this.#failure });
  }
}

function encodeCommand(command: readonly RespArgument[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${command.length}\r\n`)];
  for (const argument of command) {
    const bytes = argument instanceof Uint8Array ? argument : Buffer.from(String(argument));
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

interface Parsed {
  readonly reply: RespReply;
  readonly end: number;
}

/** The reply that starts at `start`, or undefined while part of it has yet to arrive. */
function parseReply(buffer: Buffer, start: number): Parsed | undefined {
  const lineEnd = buffer.indexOf('\r\n', start);
  if (lineEnd === -1) return undefined;
  const line = buffer.toString('utf8', start + 1, lineEnd);
  const end = lineEnd + 2;
  switch (String.fromCharCode(buffer[start] ?? 0)) {
    case '+':
      return { reply: line, end };
    case '-':
      return { reply: new Error(line), end };
    case ':':
      return { reply: Number(line), end };
    case '$':
      return parseBulk(buffer, end, Number(line));
    case '*':
      return parseArray(buffer, end, Number(line));
    default:
      throw new Error(`not a RESP2 reply: ${JSON.stringify(line)}`);
  }
}

function parseBulk(buffer: Buffer, start: number, length: number): Parsed | undefined {
  if (length === -1) return { reply: null, end: start };
  const end = start + length;
  if (buffer.length < end + 2) return undefined;
  return { reply: buffer.toString('utf8', start, end), end: end + 2 };
}

function parseArray(buffer: Buffer, start: number, length: number): Parsed | undefined {
  if (length === -1) return { reply: null, end: start };
  const replies: RespReply[] = [];
  let end = start;
  while (replies.length < length) {
    const parsed = parseReply(buffer, end);
    if (parsed === undefined) return undefined;
    replies.push(parsed.reply);
    end = parsed.end;
  }
  return { reply: replies, end };
}
