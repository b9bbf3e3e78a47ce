import type { JobStatus } from 'commonhold';
import type { AudioState } from '../audio-state.js';
import type { TrackFiles } from '../files/track-files.js';
import { conversionId } from '../state/conversion.js';
import { type ConversionStatus, progressKey } from '../state/progress.js';

/** How far a conversion is. */
export interface ConversionProgress {
  readonly voice_id: string;
  readonly total_segments: number;
  readonly processed_segments: number;
  readonly status: ConversionStatus;
  /** Who converts or did last; undefined while nobody has begun. */
  readonly container_id: string | undefined;
  /** How often it was begun; 0 where that is forgotten. */
  readonly attempts: number;
  /** Why it failed. */
  readonly error: string | undefined;
}

/**
 * Asks for a conversion and returns its id. What is finished is not made again; what waits or runs, anywhere, is not added
 * again; what failed is tried again.
 */
export async function askForConversion(
  { conversionState, progressState, container }: AudioState,
  files: TrackFiles,
  trackId: string,
  voiceId: string,
): Promise<string> {
  const id = conversionId(trackId, voiceId);
  if ((await files.segmentsOf(trackId, voiceId)) !== undefined) return id;
  const { duplicate } = await conversionState.queue.add({ track_id: trackId, voice_id: voiceId }, { id });
  if (duplicate) await conversionState.queue.retry(id);
  else {
    const nothing = { total_segments: 0, processed_segments: 0, status: 'pending' } as const;
    const pending = { ...nothing, voice_id: voiceId, container_id: container };
    // A container may be faster and have begun.
    await progressState.segmentProgress.add(progressKey(trackId, voiceId), pending);
  }
  return id;
}

const statusOfJob: Readonly<Record<JobStatus, ConversionStatus>> = {
  pending: 'pending',
  delayed: 'pending',
  processing: 'processing',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'failed',
};

/**
 * How far a conversion is, undefined when nobody asked for it. The disk knows what is finished, the queue who converts, and
 * the counts come from whoever does.
 */
export async function readProgress(
  { conversionState, progressState }: AudioState,
  files: TrackFiles,
  trackId: string,
  voiceId: string,
): Promise<ConversionProgress | undefined> {
  const [noted, job, finished] = await Promise.all([
    progressState.segmentProgress.get(progressKey(trackId, voiceId)),
    conversionState.queue.get(conversionId(trackId, voiceId)),
    files.segmentsOf(trackId, voiceId),
  ]);
  if (noted === undefined && job === undefined && finished === undefined) return undefined;
  const begun = noted?.status === 'pending' ? undefined : noted;
  const said = job === undefined ? noted?.status : statusOfJob[job.status];
  const status = finished === undefined ? (said ?? 'pending') : 'completed';
  return {
    voice_id: voiceId,
    total_segments: finished ?? begun?.total_segments ?? 0,
    processed_segments: finished ?? begun?.processed_segments ?? 0,
    status,
    container_id: job?.workerName ?? begun?.container_id,
    attempts: job?.attempts ?? 0,
    error: status === 'failed' ? job?.error : undefined,
  };
}
