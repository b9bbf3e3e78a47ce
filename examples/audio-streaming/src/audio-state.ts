import type { OpenOptions, Owners, RunOnce, SharedMap, SharedState } from 'commonhold';
import { TextCache } from './cache/text.js';
import { UploadStats } from './cache/upload-stats.js';
import { VoiceAccessTracker } from './cache/voice-access.js';
import { WordTimingCache } from './cache/word-timing.js';
import type { Settings } from './settings.js';
import { ConversionState } from './state/conversion.js';
import { DownloadState } from './state/download.js';
import { ProgressState } from './state/progress.js';
import { UploadState } from './state/upload.js';
import { containerOf } from './state-manager.js';

/** A recording that was uploaded. Kept without end, like its file. */
export interface Track {
  readonly track_id: string;
  /** As its first sender called it. */
  readonly filename: string;
  /** Bytes. */
  readonly size: number;
  readonly duration_seconds: number;
  readonly sample_rate: number;
  readonly channels: 1 | 2;
  /** Milliseconds since 1970. */
  readonly created_at: number;
}

/** What joining the chunks of an upload gives. */
export type JoinedUpload = { readonly track_id: string } | { readonly error: string };

/** All that the containers of the audio system share, files aside. */
export interface AudioState {
  /** Name of this container. */
  readonly container: string;
  readonly progressState: ProgressState;
  readonly conversionState: ConversionState;
  readonly uploadState: UploadState;
  readonly downloadState: DownloadState;
  readonly textCache: TextCache;
  readonly wordTimingCache: WordTimingCache;
  readonly voiceAccessTracker: VoiceAccessTracker;
  readonly uploadStats: UploadStats;
  /** By track id. */
  readonly tracks: SharedMap<Track>;
  /** Chunks become a file once, by upload id. */
  readonly joining: RunOnce<JoinedUpload>;
  /** Which containers live, and what each holds. */
  readonly owners: Owners;
  readonly shared: SharedState;
}

/** The timings of a text of 256 KiB in words of one letter. */
const mostValueBytes: number = 16 * 2 ** 20;

/** Opens the shared state. */
export async function openAudioState(
  open: (options: OpenOptions & { readonly namespace: string }) => Promise<SharedState>,
  settings: Settings,
): Promise<AudioState> {
  const shared = await open({ namespace: 'audio', maxValueBytes: mostValueBytes });
  return {
    shared,
    container: containerOf(shared.owner),
    progressState: new ProgressState(shared),
    conversionState: new ConversionState(shared),
    uploadState: new UploadState(shared),
    downloadState: new DownloadState(shared),
    textCache: new TextCache(shared, { mostBytes: settings.textCacheBytes }),
    wordTimingCache: new WordTimingCache(shared),
    voiceAccessTracker: new VoiceAccessTracker(shared),
    uploadStats: new UploadStats(shared),
    tracks: shared.map<Track>('tracks'),
    joining: shared.runOnce<JoinedUpload>('join-upload', { keep: '2h' }),
    owners: shared.owners,
  };
}
