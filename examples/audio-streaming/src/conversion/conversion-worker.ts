import { type JobControls, type JobToRun, type Log, NonRetryableError } from 'commonhold';
import type { AudioState } from '../audio-state.js';
import type { TrackFiles } from '../files/track-files.js';
import { NotAnMp3Error } from '../mp3/recording.js';
import type { Settings } from '../settings.js';
import type { ConversionJob, ConversionResult } from '../state/conversion.js';
import type { ConversionStatus } from '../state/progress.js';
import { conversionHold } from './conversion-hold.js';
import type { Converter } from './converter.js';
import { makeSegments } from './make-segments.js';

/** What a worker works with. */
export interface ConversionPlace {
  readonly state: AudioState;
  readonly files: TrackFiles;
  readonly converter: Converter;
  readonly settings: Settings;
  readonly log: Log;
}

/** Converts until it is closed. */
export interface ConversionWorker {
  /** Takes no more; what does not end within seconds is given back, for another container to go on with. */
  close(): Promise<void>;
}

/** Shorter than the 10 s that container hosts leave between SIGTERM and SIGKILL. */
const grace = '5s';

/** Starts to convert, `settings.converters` at a time. */
export function startConversionWorker(place: ConversionPlace): ConversionWorker {
  const { state, settings } = place;
  const worker = state.conversionState.queue.work((job, controls) => new Conversion(place, job, controls).run(), {
    concurrency: settings.converters,
  });
  return { close: () => worker.close({ grace }) };
}

/** One attempt at one conversion. */
class Conversion {
  readonly #place: ConversionPlace;
  readonly #job: JobToRun<ConversionJob>;
  readonly #controls: JobControls;
  #processed = 0;
  #total = 0;

  constructor(place: ConversionPlace, job: JobToRun<ConversionJob>, controls: JobControls) {
    this.#place = place;
    this.#job = job;
    this.#controls = controls;
  }

  async run(): Promise<ConversionResult> {
    const { state, log } = this.#place;
    const { id, attempt } = this.#job;
    await using _hold = await state.owners.hold(conversionHold(id));
    await this.#begin();
    log.info({ conversion: id, container: state.container, attempt }, 'conversion begins');
    try {
      const { total, made } = await this.#make();
      await this.#note('completed');
      log.info({ conversion: id, container: state.container, attempt, total, made }, 'conversion ends');
      return { total_segments: total, made_segments: made };
    } catch (error) {
      // Somebody else has it then, or will.
      if (!this.#controls.signal.aborted) await this.#note('failed');
      throw explained(error);
    }
  }

  /** Says who converts, and from whom it was taken over. */
  async #begin(): Promise<void> {
    const { conversionState, container } = this.#place.state;
    const { id, data } = this.#job;
    const before = await conversionState.activeConversions.get(id);
    const now = Date.now();
    if (before?.status === 'converting') {
      const takeOver = { name: conversionHold(id), from: before.container_id, taken_over_at: now };
      await conversionState.takeOvers.set(id, { ...takeOver, container_id: container });
    }
    const active = { ...data, container_id: container, started_at: now, status: 'converting' } as const;
    await conversionState.activeConversions.set(id, active);
  }

  #make(): ReturnType<typeof makeSegments> {
    const { files, converter, settings } = this.#place;
    const { track_id: trackId, voice_id: voiceId } = this.#job.data;
    const { segmentSeconds, segmentDelayMs: delayMs } = settings;
    const { signal, progress } = this.#controls;
    const onProgress = async (processed: number, total: number): Promise<void> => {
      [this.#processed, this.#total] = [processed, total];
      progress(processed / total);
      await this.#noteProgress('processing');
    };
    return makeSegments({ trackId, voiceId, segmentSeconds, delayMs, signal }, { files, converter, onProgress });
  }

  async #note(status: 'completed' | 'failed'): Promise<void> {
    const { conversionState, container } = this.#place.state;
    await this.#noteProgress(status);
    await this.#told(
      conversionState.activeConversions.update(
        this.#job.id,
        (known) => known && { ...known, status, container_id: container },
      ),
    );
  }

  #noteProgress(status: ConversionStatus): Promise<void> {
    const { progressState, container } = this.#place.state;
    const { track_id, voice_id } = this.#job.data;
    const counts = { total_segments: this.#total, processed_segments: this.#processed };
    return this.#told(progressState.note(track_id, { ...counts, voice_id, status, container_id: container }));
  }

  /** What is told of a conversion is not worth its failing: the store may be away for a moment. */
  async #told(telling: Promise<unknown>): Promise<void> {
    const { log } = this.#place;
    await telling.catch((err: unknown) =>
      log.warn({ err, conversion: this.#job.id }, 'a conversion cannot say how far it is'),
    );
  }
}

function explained(error: unknown): unknown {
  // The same bytes will not sound better another time.
  if (error instanceof NotAnMp3Error) return new NonRetryableError(error.message, { cause: error });
  // What the file system says names paths of this machine, which are nobody's business.
  if (error instanceof Error && 'syscall' in error) {
    return new Error('The files of the track cannot be used here: do all containers share DATA_DIR?', { cause: error });
  }
  return error;
}
