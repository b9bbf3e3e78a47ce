import { rm } from 'node:fs/promises';
import type { AudioState, JoinedUpload } from '../audio-state.js';
import type { ChunkStore } from '../files/chunk-store.js';
import type { TrackFiles } from '../files/track-files.js';
import { inspectRecording, NotAnMp3Error } from '../mp3/recording.js';
import type { UploadSession } from '../state/upload.js';
import type { Owned } from '../state-manager.js';

/** Where uploads are kept. */
export interface UploadPlace {
  readonly state: AudioState;
  readonly files: TrackFiles;
  readonly chunks: ChunkStore;
}

const holdPrefix = 'upload:';

/** What a container holds while it joins the chunks of an upload. */
export function uploadHold(uploadId: string): string {
  return `${holdPrefix}${uploadId}`;
}

/** The upload's id in what a container holds; undefined where that is something else. */
export function uploadOfHold(name: string): string | undefined {
  return name.startsWith(holdPrefix) ? name.slice(holdPrefix.length) : undefined;
}

/**
 * Joins the chunks of an upload of which all have come, and returns it as it stands then. However many containers get a last
 * chunk at once, one joins and the others wait; should it die, another does it again.
 */
export async function finishUpload(
  { state, files, chunks }: UploadPlace,
  session: UploadSession,
): Promise<(UploadSession & Owned) | undefined> {
  const { upload_id } = session;
  const end = await state.joining.run(upload_id, () => joinUpload({ state, files, chunks }, session), { wait: '2m' });
  const finished = await state.uploadState.finish(upload_id, end);
  if (finished !== undefined) await state.uploadStats.record(finished);
  // Only now: until the end is noted, the chunks are all there is.
  await chunks.remove(upload_id);
  return finished;
}

async function joinUpload({ state, files, chunks }: UploadPlace, session: UploadSession): Promise<JoinedUpload> {
  const { upload_id, filename, size, created_at } = session;
  await using _hold = await state.owners.hold(uploadHold(upload_id));
  const { id: track_id, path } = await chunks.join(upload_id, size);
  try {
    const { durationSeconds, sampleRate, channels } = await inspectRecording(path);
    const sound = { duration_seconds: durationSeconds, sample_rate: sampleRate, channels };
    await files.keepRecording(path, track_id);
    await state.tracks.add(track_id, { track_id, filename, size, ...sound, created_at });
    return { track_id };
  } catch (error) {
    if (error instanceof NotAnMp3Error) return { error: error.message };
    throw error;
  } finally {
    await rm(path, { force: true });
  }
}
