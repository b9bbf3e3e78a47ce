import type { Location } from 'commonhold';
import { io, type Socket } from 'socket.io-client';

const heartbeatMs = 60_000;
const ackTimeoutMs = 10_000;

/** A taxi as a member: one socket that moves. */
export class Taxi {
  readonly socket: Socket;
  readonly #timer: NodeJS.Timeout;

  /** Use {@link connectTaxi}. */
  constructor(socket: Socket) {
    this.socket = socket;
    this.#timer = setInterval(() => socket.connected && socket.emit('heartbeat'), heartbeatMs).unref();
  }

  /** Goes to `location`; resolves with the region that the server puts it in. Rejects when the server refuses. */
  async move({ latitude, longitude }: Location): Promise<string> {
    const answer: unknown = await this.socket.timeout(ackTimeoutMs).emitWithAck('location', { latitude, longitude });
    const { regionId, error } = answer as { readonly regionId?: string; readonly error?: { readonly detail: string } };
    if (regionId === undefined) throw new Error(`a location was refused: ${error?.detail ?? ''}`);
    return regionId;
  }

  /** Leaves. */
  close(): void {
    clearInterval(this.#timer);
    this.socket.disconnect();
  }
}

/** Connects a taxi to the server at `origin`, such as `http://127.0.0.1:5000`. */
export async function connectTaxi(origin: string, taxiId: string): Promise<Taxi> {
  const socket = io(`${origin}/road`, {
    transports: ['websocket'],
    auth: { userId: `taxi-${taxiId}` },
    forceNew: true,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return new Taxi(socket);
}
