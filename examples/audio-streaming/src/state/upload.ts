import { randomUUID } from 'node:crypto';
import type { SharedState } from 'commonhold';
import { type ByteRange, countBytes, covers, withRange } from '../files/byte-ranges.js';
import { type Owned, RedisStateManager } from '../state-manager.js';

/** What somebody wants to send. */
export interface UploadData {
  readonly filename: string;
  /** Bytes. */
  readonly size: number;
}

/** `writing` until all bytes are there and joined. */
export type UploadStatus = 'writing' | 'completed' | 'failed';

/** An upload as it stands. */
export interface UploadSession extends UploadData {
  readonly upload_id: string;
  readonly status: UploadStatus;
  /** What has come, in order; ranges do not touch. */
  readonly received: readonly ByteRange[];
  /** Chunks that brought something new. */
  readonly chunks_written: number;
  /** Milliseconds since 1970. */
  readonly created_at: number;
  readonly updated_at: number;
  /** Once it is completed. */
  readonly track_id?: string;
  /** Why it failed. */
  readonly error?: string;
}

/** Uploads of all containers, for two hours after their last chunk. */
export class UploadState {
  readonly #sessions: RedisStateManager<UploadSession>;

  constructor(state: SharedState) {
    this.#sessions = new RedisStateManager<UploadSession>(state, 'uploads', { ttl: '2h' });
  }

  /** Begins an upload. */
  createSession({ filename, size }: UploadData): Promise<UploadSession & Owned> {
    const now = Date.now();
    const upload_id = randomUUID();
    const nothing = { status: 'writing', received: [], chunks_written: 0, created_at: now, updated_at: now } as const;
    return this.#sessions.createSession(upload_id, { upload_id, filename, size, ...nothing });
  }

  getSession(uploadId: string): Promise<(UploadSession & Owned) | undefined> {
    return this.#sessions.getSession(uploadId);
  }

  /** Notes a chunk; one that brought nothing new changes nothing. Returns the upload as it stands then. */
  addChunk(uploadId: string, range: ByteRange): Promise<(UploadSession & Owned) | undefined> {
    return this.#sessions.updateSession(uploadId, ({ status, received, chunks_written }) => {
      if (status !== 'writing' || covers(received, range)) return undefined;
      return { received: withRange(received, range), chunks_written: chunks_written + 1, updated_at: Date.now() };
    });
  }

  /** Notes how the upload ended. */
  finish(
    uploadId: string,
    end: { readonly track_id: string } | { readonly error: string },
  ): Promise<(UploadSession & Owned) | undefined> {
    const status = 'error' in end ? 'failed' : 'completed';
    return this.#sessions.updateSession(uploadId, { ...end, status, updated_at: Date.now() });
  }
}

/** Different bytes that have come. */
export function bytesWritten({ received }: UploadSession): number {
  return countBytes(received);
}

/** Whether every byte has come. */
export function isWhole(session: UploadSession): boolean {
  return bytesWritten(session) === session.size;
}
