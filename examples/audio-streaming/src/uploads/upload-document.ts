import { type ByteRange, missingRanges } from '../files/byte-ranges.js';
import { bytesWritten, type UploadSession, type UploadStatus } from '../state/upload.js';
import type { Owned } from '../state-manager.js';

/** What a chunk is answered with. */
export interface ChunkDocument {
  readonly status: UploadStatus;
  readonly bytes_written: number;
  readonly chunks_written: number;
  /** Once all bytes are there. */
  readonly track_id?: string;
}

/** An upload as people see it. */
export interface UploadDocument extends Omit<ChunkDocument, 'track_id'> {
  readonly upload_id: string;
  readonly filename: string;
  readonly size: number;
  /** 0 to 1. */
  readonly progress: number;
  /** Bytes per second, from the beginning; null before the first chunk. */
  readonly rate: number | null;
  /** Seconds to go at this rate; null while it is unknown. */
  readonly eta: number | null;
  /** Ranges of bytes that have not come, at most 100 of them. */
  readonly missing: readonly ByteRange[];
  /** The container that wrote last. */
  readonly container_id: string;
  readonly created_at: number;
  readonly updated_at: number;
  readonly track_id: string | null;
  readonly error: string | null;
}

const mostMissing = 100;

export function chunkDocument(session: UploadSession): ChunkDocument {
  const { status, chunks_written, track_id } = session;
  const document = { status, bytes_written: bytesWritten(session), chunks_written };
  return track_id === undefined ? document : { ...document, track_id };
}

export function uploadDocument(session: UploadSession & Owned): UploadDocument {
  const { upload_id, filename, size, received, container_id, created_at, updated_at } = session;
  const { track_id: _trackId, ...written } = chunkDocument(session);
  const bytes = written.bytes_written;
  const seconds = Math.max(1, updated_at - created_at) / 1_000;
  const rate = bytes === 0 ? null : Math.round(bytes / seconds);
  return {
    upload_id,
    filename,
    size,
    ...written,
    progress: bytes / size,
    rate,
    eta: rate === null ? null : Math.ceil((size - bytes) / Math.max(1, rate)),
    missing: missingRanges(received, size).slice(0, mostMissing),
    container_id,
    created_at,
    updated_at,
    track_id: session.track_id ?? null,
    error: session.error ?? null,
  };
}
