import type { SharedMap, SharedState } from 'commonhold';
import type { Owned } from '../state-manager.js';

/** A download under way, or one that ended a while ago. */
export interface ActiveDownload extends Owned {
  readonly download_id: string;
  readonly track_id: string;
  /** Bytes that were asked for. */
  readonly size: number;
  /** Bytes that have left this container. */
  readonly bytes_sent: number;
  readonly status: 'sending' | 'completed' | 'aborted';
  /** Milliseconds since 1970. */
  readonly started_at: number;
}

/** Downloads of all containers. */
export class DownloadState {
  /** By download id. Two hours. */
  readonly activeDownloads: SharedMap<ActiveDownload>;

  constructor(state: SharedState) {
    this.activeDownloads = state.map<ActiveDownload>('active-downloads', { ttl: '2h' });
  }
}
