import { problem } from '@commonhold/server';
import type { FastifyInstance } from 'fastify';
import type { AudioState, Track } from '../audio-state.js';
import { askForConversion, type ConversionProgress, readProgress } from '../conversion/conversions.js';
import type { TrackFiles } from '../files/track-files.js';
import { checkVoiceId, foundTrack } from './found-track.js';

const mostTracks = 200;

const conversionSchema = {
  body: { type: 'object', required: ['voice_id'], properties: { voice_id: { type: 'string' } } },
} as const;

interface TrackParams {
  readonly Params: { readonly id: string };
}

/** `GET /tracks`, `POST /tracks/:id/conversions` and `GET /tracks/:id/progress`. */
export function trackRoutes(http: FastifyInstance, state: AudioState, files: TrackFiles): void {
  http.get('/tracks', async () => ({ tracks: await listTracks(state) }));

  http.post<TrackParams & { Body: { readonly voice_id: string } }>(
    '/tracks/:id/conversions',
    { schema: conversionSchema },
    async ({ params, body }, reply) => {
      const voiceId = checkVoiceId(body.voice_id);
      const trackId = await foundTrack(files, params.id);
      const conversion_id = await askForConversion(state, files, trackId, voiceId);
      return reply.code(202).send({ conversion_id });
    },
  );

  http.get<TrackParams & { Querystring: { readonly voice_id?: unknown } }>('/tracks/:id/progress', async (request) => {
    const { voice_id } = request.query;
    const given = voice_id === undefined ? undefined : checkVoiceId(voice_id);
    const trackId = await foundTrack(files, request.params.id);
    const voiceId = given ?? (await state.progressState.segmentProgress.get(trackId))?.voice_id;
    const progress = voiceId === undefined ? undefined : await readProgress(state, files, trackId, voiceId);
    if (progress === undefined) throw problem(404, 'Nobody has asked for this conversion.');
    return progressDocument(progress);
  });
}

function progressDocument({ container_id, error, ...progress }: ConversionProgress): object {
  return { ...progress, container_id: container_id ?? null, error: error ?? null };
}

/** The newest tracks, each with the conversion that was heard of last, or null. */
async function listTracks(state: AudioState): Promise<object[]> {
  const tracks = await newestTracks(state);
  const progress = await state.progressState.segmentProgress.getMany(tracks.map(({ track_id }) => track_id));
  return tracks.map((track) => ({ ...track, progress: progress.get(track.track_id) ?? null }));
}

async function newestTracks({ tracks }: AudioState): Promise<Track[]> {
  const all: Track[] = [];
  for await (const track of tracks.values()) all.push(track);
  return all.toSorted((a, b) => b.created_at - a.created_at).slice(0, mostTracks);
}
