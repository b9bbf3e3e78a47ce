import { problem } from '@commonhold/server';
import { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { AudioState } from '../audio-state.js';
import type { TrackFiles } from '../files/track-files.js';
import { foundTrack, isVoiceId } from './found-track.js';
import { sendFile } from './send-file.js';

interface StreamParams {
  readonly Params: { readonly id: string; readonly voice_id: string; readonly file: string };
}

interface VoiceParams {
  readonly Params: { readonly id: string; readonly voice_id: string };
}

/** `GET /tracks/:id/:voice_id/playlist.m3u8`, `…/segment-N.mp3`, and `GET /tracks/:id/voices/:voice_id/activity`. */
export function streamRoutes(http: FastifyInstance, state: AudioState, files: TrackFiles): void {
  http.get<StreamParams>('/tracks/:id/:voice_id/:file', async (request, reply) => {
    const { id, voice_id: voiceId, file: name } = request.params;
    const segment = /^segment-(\d{1,9})\.mp3$/.exec(name)?.[1];
    const isKnown = isVoiceId(voiceId) && (segment !== undefined || name === 'playlist.m3u8');
    if (!isKnown) throw problem(404, `A stream has "playlist.m3u8" and "segment-0.mp3" and so on.`);
    const root = files.stream(await foundTrack(files, id), voiceId);
    if (segment === undefined) {
      const mediaType = 'application/vnd.apple.mpegurl';
      return sendFile(request, reply, { root, name, mediaType, headers: { 'Cache-Control': 'no-cache' } });
    }
    // It never changes, but a player that does not ask would not be counted.
    const headers = { 'Cache-Control': 'private, no-cache' };
    await recordAccess(request.log, state.voiceAccessTracker.recordSegmentAccess(id, voiceId, Number(segment)));
    return sendFile(request, reply, { root, name, mediaType: 'audio/mpeg', headers });
  });

  http.get<VoiceParams>('/tracks/:id/voices/:voice_id/activity', async ({ params }) => {
    const trackId = await foundTrack(files, params.id);
    if (!isVoiceId(params.voice_id)) throw problem(404, 'There is no voice of this id.');
    const activity = await state.voiceAccessTracker.getVoiceActivity(trackId, params.voice_id);
    return { track_id: trackId, voice_id: params.voice_id, ...activity, last_accessed: activity.last_accessed ?? null };
  });
}

/** People go on hearing what is on the disk while the store is away. */
async function recordAccess(log: FastifyBaseLogger, recording: Promise<void>): Promise<void> {
  await recording.catch((error: unknown) => log.warn({ err: error }, 'an access of a segment was not counted'));
}
