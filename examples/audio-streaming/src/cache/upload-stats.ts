import type { SharedMap, SharedState } from 'commonhold';
import { bytesWritten, type UploadSession, type UploadStatus } from '../state/upload.js';
import { containerOf, type Owned } from '../state-manager.js';

/** How the writing of one file gets on. */
export interface WriteStats extends Owned {
  /** The upload's id. */
  readonly file_id: string;
  readonly status: UploadStatus;
  /** Where it is being written, below DATA_DIR. */
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly queued_at: number;
  readonly bytes_written: number;
  readonly chunks_written: number;
}

/** How the files of uploads are being written, for all containers. */
export class UploadStats {
  /** By file id. Two hours. */
  readonly fileStats: SharedMap<WriteStats>;
  readonly #container: string;

  constructor(state: SharedState) {
    this.fileStats = state.map<WriteStats>('upload-stats', { ttl: '2h' });
    this.#container = containerOf(state.owner);
  }

  /** Brings the stats of an upload up to date; those of an earlier moment, come late, change nothing. */
  async record(session: UploadSession): Promise<void> {
    const { upload_id: file_id, status, created_at: queued_at, chunks_written, track_id } = session;
    const path = track_id === undefined ? `incoming/${file_id}` : `files/${track_id}`;
    const bytes_written = bytesWritten(session);
    const stats = { file_id, status, path, queued_at, bytes_written, chunks_written, container_id: this.#container };
    await this.fileStats.update(file_id, (known) => (known !== undefined && isLater(known, stats) ? undefined : stats));
  }
}

function isLater(known: WriteStats, stats: WriteStats): boolean {
  if (known.status !== stats.status) return known.status !== 'writing';
  return known.bytes_written > stats.bytes_written;
}
