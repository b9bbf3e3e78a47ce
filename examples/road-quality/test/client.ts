import type { Location } from 'commonhold';
import { io, type Socket } from 'socket.io-client';
import { expect, onTestFinished } from 'vitest';
import type { MemberMessage } from '../src/sockets/road-messages.js';

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Record<string, unknown>;
}

/** One request, with its answer read. */
export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  const json = isJson ? (JSON.parse(text) as Record<string, unknown>) : { text };
  return { status: response.status, headers: response.headers, json };
}

/** As {@link ask}, with `body` as JSON; text is sent as it stands. */
export function post(url: string, body: unknown): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return ask(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: text });
}

/** Sees that an answer is a problem document of this status, whose detail says this. */
export function expectProblem(answer: Answer, status: number, detail: RegExp = /./): void {
  expect(answer).toMatchObject({ status, json: { status, detail: expect.stringMatching(detail) as string } });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(Object.keys(answer.json).slice(0, 4)).toEqual(['type', 'title', 'status', 'detail']);
}

/** An event that a socket heard. */
export interface Heard {
  readonly event: string;
  readonly message: MemberMessage & Record<string, unknown>;
}

/** A socket of the system that does not connect again by itself, closed with the test. */
function openSocket(base: string, auth: Record<string, unknown>, headers: Record<string, string> = {}): Socket {
  const socket = io(`${new URL(base).origin}/road`, {
    transports: ['websocket'],
    auth,
    extraHeaders: headers,
    forceNew: true,
    reconnection: false,
  });
  onTestFinished(() => void socket.disconnect());
  return socket;
}

/** Resolves with a connected driver. */
export async function connect(base: string, userId: string): Promise<Driver> {
  const socket = openSocket(base, { userId }, { 'user-agent': 'test-car/1.0' });
  const driver = new Driver(socket, userId);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  expect(driver.id).not.toBe('');
  return driver;
}

/** What a refused socket is told. */
export function refusal(base: string, auth: Record<string, unknown>): Promise<{ message: string; data: unknown }> {
  const socket = openSocket(base, auth);
  return new Promise((resolve, reject) => {
    socket.once('connect', () => reject(new Error('it connected')));
    socket.once('connect_error', (error) => {
      resolve({ message: error.message, data: (error as Error & { data?: unknown }).data });
    });
  });
}

/** Somebody with a socket. */
export class Driver {
  readonly socket: Socket;
  readonly userId: string;
  readonly heard: Heard[] = [];
  #id = '';

  constructor(socket: Socket, userId: string) {
    this.socket = socket;
    this.userId = userId;
    socket.onAny((event: string, message: Heard['message']) => void this.heard.push({ event, message }));
  }

  /** It keeps its id after its end. */
  get id(): string {
    this.#id ||= this.socket.id ?? '';
    return this.#id;
  }

  /** Sends a message and resolves with the acknowledgement. */
  send(event: string, ...values: unknown[]): Promise<unknown> {
    return this.socket.timeout(5_000).emitWithAck(event, ...values) as Promise<unknown>;
  }

  /** Goes somewhere and resolves with the region. */
  async go(location: Location): Promise<string> {
    const answer = (await this.send('location', location)) as { regionId: string };
    expect(answer).toEqual({ regionId: expect.stringMatching(/^[0-9a-z]{6}$/) as string });
    return answer.regionId;
  }

  /** What it is as a message of `regionId`. */
  in(regionId: string): MemberMessage {
    return { socketId: this.id, userId: this.userId, regionId };
  }

  /** Waits until it heard exactly this. */
  async hears(event: string, message: object, timeout = 5_000): Promise<void> {
    await expect.poll(() => this.heard, { timeout, interval: 10 }).toContainEqual({ event, message });
  }

  /** The events it heard about `other`, in order. */
  about(other: Driver): string[] {
    return this.heard.filter(({ message }) => message.socketId === other.id).map(({ event }) => event);
  }

  /** Waits for the end of its connection. */
  async closed(timeout = 5_000): Promise<void> {
    await expect.poll(() => this.socket.connected, { timeout, interval: 10 }).toBe(false);
  }
}
