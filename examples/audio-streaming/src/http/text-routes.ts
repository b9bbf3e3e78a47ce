import { problem } from '@commonhold/server';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { AudioState } from '../audio-state.js';
import type { CacheEntry } from '../cache/text.js';
import type { TrackFiles } from '../files/track-files.js';
import { inspectRecording } from '../mp3/recording.js';
import type { WordTimer } from '../timing/word-timer.js';
import { checkVoiceId, foundTrack } from './found-track.js';

/** A day of speech has a few times as much at most. */
const mostTextBytes: number = 256 * 1_024;

interface TrackParams {
  readonly Params: { readonly id: string };
}

/** What the routes stand on. */
export interface TextPlace {
  readonly state: AudioState;
  readonly files: TrackFiles;
  readonly wordTimer: WordTimer;
}

/** `PUT /tracks/:id/text`, `GET /tracks/:id/text` and `GET /tracks/:id/timings`. */
export function textRoutes(http: FastifyInstance, place: TextPlace): void {
  const { files } = place;

  void http.register(async (plain) => {
    plain.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    plain.put<TrackParams>('/tracks/:id/text', async ({ params, body }) => {
      const text = checkText(body);
      const trackId = await foundTrack(files, params.id);
      await files.writeText(trackId, text);
      return { track_id: trackId, size: Buffer.byteLength(text) };
    });
  });

  http.get<TrackParams>('/tracks/:id/text', async ({ params, headers }, reply) => {
    const trackId = await foundTrack(files, params.id);
    const entry = await readText(place, trackId);
    return headers.accept?.startsWith('text/plain') === true
      ? reply.type('text/plain; charset=utf-8').send(entry.content)
      : sendEntry(reply, trackId, entry);
  });

  http.get<TrackParams & { Querystring: { readonly voice_id?: unknown } }>('/tracks/:id/timings', async (request) => {
    const voiceId = checkVoiceId(request.query.voice_id);
    const trackId = await foundTrack(files, request.params.id);
    const { text_mtime_ns: _mtime, ...timings } = await readTimings(place, trackId, voiceId);
    return { track_id: trackId, voice_id: voiceId, ...timings };
  });
}

async function readText({ state, files }: TextPlace, trackId: string): Promise<CacheEntry> {
  const mtimeNs = await files.textModifiedAtNs(trackId);
  if (mtimeNs === undefined) throw noText();
  return state.textCache.read(trackId, mtimeNs, async () => {
    const text = await files.readText(trackId);
    if (text === undefined) throw noText();
    return text;
  });
}

async function readTimings(
  place: TextPlace,
  trackId: string,
  voiceId: string,
): ReturnType<AudioState['wordTimingCache']['read']> {
  const { state, files, wordTimer } = place;
  const mtimeNs = await files.textModifiedAtNs(trackId);
  if (mtimeNs === undefined) throw noText();
  return state.wordTimingCache.read(`${trackId}:${voiceId}`, mtimeNs, async (signal) => {
    const { content: text } = await readText(place, trackId);
    const path = files.recording(trackId);
    const { durationSeconds } = await inspectRecording(path);
    return {
      method: wordTimer.method,
      timings: await wordTimer.compute({ text, durationSeconds, path, voiceId, signal }),
    };
  });
}

function sendEntry(
  reply: FastifyReply,
  track_id: string,
  { content, file_mtime_ns, ...metadata }: CacheEntry,
): FastifyReply {
  // Nanoseconds since 1970 are more than a JSON number holds exactly.
  return reply.send({ track_id, text: content, ...metadata, file_mtime_ns: String(file_mtime_ns) });
}

/** The text of `{"text": …}` or of a plain body. */
function checkText(body: unknown): string {
  const text = typeof body === 'object' && body !== null && 'text' in body ? body.text : body;
  if (typeof text !== 'string') throw problem(422, 'Send the text as text/plain, or as JSON in the field "text".');
  if (Buffer.byteLength(text) > mostTextBytes) throw problem(413, `A text has at most ${mostTextBytes} bytes.`);
  if (!text.isWellFormed() || /[^\P{Cc}\t\n\r]/u.test(text)) throw problem(422, 'The text holds control characters.');
  if (text.trim() === '') throw problem(422, 'The text is empty.');
  return text;
}

function noText(): Error {
  return problem(404, 'This track has no text.');
}
