import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { problem } from '@commonhold/server';
import type { FastifyInstance } from 'fastify';
import type { AudioState } from '../audio-state.js';
import type { TrackFiles } from '../files/track-files.js';
import type { ActiveDownload } from '../state/download.js';
import { foundTrack } from './found-track.js';
import { sendFile } from './send-file.js';

/** How often a download says how far it is. */
const reportMs = 250;

interface TrackParams {
  readonly Params: { readonly id: string };
}

/** `GET /tracks/:id/download` and `GET /downloads/:id`. */
export function downloadRoutes(http: FastifyInstance, state: AudioState, files: TrackFiles): void {
  http.get<TrackParams>('/tracks/:id/download', async (request, reply) => {
    const trackId = await foundTrack(files, request.params.id);
    const downloadId = randomUUID();
    const headers = {
      'Cache-Control': 'private, no-cache',
      'Content-Disposition': 'attachment',
      'Download-Id': downloadId,
    };
    const onBody = (body: Readable, size: number): Readable => {
      const download = { download_id: downloadId, track_id: trackId, size, started_at: Date.now() };
      const sent = Readable.from(counted(body, new DownloadReport(state, download)), { objectMode: false });
      // One that ends before it is first read never begins, and would leave the file open.
      return sent.once('close', () => void body.destroy());
    };
    const root = dirname(files.recording(trackId));
    return sendFile(request, reply, { root, name: trackId, mediaType: 'audio/mpeg', headers, onBody });
  });

  http.get<TrackParams>('/downloads/:id', async ({ params }) => {
    const download = await state.downloadState.activeDownloads.get(params.id);
    if (download === undefined) throw problem(404, 'There is no download of this id, or its two hours are over.');
    return download;
  });
}

/** Keeps the shared record of one download up to date; a store that is away does not stop the download. */
class DownloadReport {
  readonly #state: AudioState;
  readonly #download: Pick<ActiveDownload, 'download_id' | 'size' | 'started_at' | 'track_id'>;
  #reportedAtMs = 0;
  #reporting: Promise<void> = Promise.resolve();
  #bytes = 0;

  constructor(state: AudioState, download: Pick<ActiveDownload, 'download_id' | 'size' | 'started_at' | 'track_id'>) {
    this.#state = state;
    this.#download = download;
  }

  /** Notes bytes that are about to go out, and says so now and then. */
  async sent(bytes: number): Promise<void> {
    this.#bytes += bytes;
    // Who has got the last byte finds it said.
    if (this.#bytes === this.#download.size) await this.#report('completed');
    else if (performance.now() - this.#reportedAtMs >= reportMs) void this.#report('sending');
  }

  /** Says that no more goes out. */
  async end(): Promise<void> {
    if (this.#bytes < this.#download.size) await this.#report('aborted');
  }

  /** Resolves when it is written, after those before it. */
  #report(status: ActiveDownload['status']): Promise<void> {
    this.#reportedAtMs = performance.now();
    const { container, downloadState } = this.#state;
    const record = { ...this.#download, bytes_sent: this.#bytes, status, container_id: container };
    this.#reporting = this.#reporting
      .then(() => downloadState.activeDownloads.set(record.download_id, record))
      .catch(() => undefined);
    return this.#reporting;
  }
}

/** The bytes as they are; how far they are is told before they go out, and when they are not wanted to their end. */
async function* counted(body: Readable, report: DownloadReport): AsyncGenerator<Buffer> {
  try {
    for await (const bytes of body as AsyncIterable<Buffer>) {
      await report.sent(bytes.length);
      yield bytes;
    }
  } finally {
    await report.end();
  }
}
