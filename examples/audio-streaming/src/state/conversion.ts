import type { Queue, SharedMap, SharedState } from 'commonhold';
import type { Owned } from '../state-manager.js';

/** A recording to convert, and into whose voice. */
export interface ConversionJob {
  readonly track_id: string;
  readonly voice_id: string;
}

/** What became of it. */
export interface ConversionResult {
  readonly total_segments: number;
  /** Those that this container made; the others were there, from one that died. */
  readonly made_segments: number;
}

/** A conversion that some container has begun. */
export interface ActiveConversion extends ConversionJob, Owned {
  /** Milliseconds since 1970. */
  readonly started_at: number;
  readonly status: 'converting' | 'completed' | 'failed';
}

/** A conversion that went from a container that died to another. */
export interface TakeOver extends Owned {
  readonly name: string;
  /** Who held it. */
  readonly from: string;
  /** Milliseconds since 1970. */
  readonly taken_over_at: number;
}

/**
 * Conversions, each of which is one job of a queue named after track and voice. So asking for one again, anywhere, adds
 * nothing; one container at a time has it, by a lease; and another goes on when that one dies.
 */
export class ConversionState {
  /** By conversion id, from its beginning. One hour. */
  readonly activeConversions: SharedMap<ActiveConversion>;
  readonly queue: Queue<ConversionJob, ConversionResult>;
  /** By conversion id: the last time each changed hands. One hour. */
  readonly takeOvers: SharedMap<TakeOver>;

  constructor(state: SharedState) {
    // Whose a conversion is must be known to all.
    this.activeConversions = state.map<ActiveConversion>('active-conversions', { ttl: '1h', away: 'throw' });
    this.takeOvers = state.map<TakeOver>('take-overs', { ttl: '1h', away: 'throw' });
    // Only Redis knows which conversion failed before and is to be tried again.
    const kept = { keepCompleted: '1h', keepFailed: '1h', away: 'throw' } as const;
    this.queue = state.queue<ConversionJob, ConversionResult>('conversions', kept);
  }
}

/** The id of the conversion of a track into a voice: the same for all who ask. */
export function conversionId(trackId: string, voiceId: string): string {
  return `${trackId}.${voiceId}`;
}
