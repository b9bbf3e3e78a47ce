import { problem } from '@commonhold/server';
import type { TrackFiles } from '../files/track-files.js';

/** The id of a track that is here. @throws Problem 404. */
export async function foundTrack(files: TrackFiles, id: string): Promise<string> {
  if (/^[0-9a-f]{64}$/.test(id) && (await files.hasRecording(id))) return id;
  throw problem(404, 'There is no track of this id.');
}

/** Whether a voice may be called so. It becomes a directory and part of a job's id. */
export function isVoiceId(voiceId: unknown): voiceId is string {
  return typeof voiceId === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(voiceId);
}

/** A voice that was named in a request. @throws Problem 422. */
export function checkVoiceId(voiceId: unknown): string {
  if (isVoiceId(voiceId)) return voiceId;
  throw problem(422, '"voice_id" must be 1 to 63 letters, digits, ".", "_" or "-", beginning with a letter or digit.');
}
