/** When one word is spoken. Seconds from the beginning of the track. */
export interface WordTiming {
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

/** What there is to go by. */
export interface SpokenText {
  readonly text: string;
  readonly durationSeconds: number;
  /** The MP3 file. */
  readonly path: string;
  readonly voiceId: string;
  /** Aborts when the result is no longer wanted from this container. */
  readonly signal: AbortSignal;
}

/** Finds out when each word is spoken. Replace it by one that listens. */
export interface WordTimer {
  /** Named in every answer, so that nobody takes an estimate for a measurement. */
  readonly method: string;
  compute(spoken: SpokenText): readonly WordTiming[] | Promise<readonly WordTiming[]>;
}

/** A word takes as long to say as its letters, and this many more for the pause behind it. */
const pauseLetters = 1;

/**
 * Spreads the words over the track by their length. It does not listen to the sound: an estimate, and called so.
 */
export const evenWordTimer: WordTimer = {
  method: 'estimate: words spread over the track by their length, without listening',
  compute({ text, durationSeconds }) {
    const words = text.split(/\s+/u).filter((word) => word !== '');
    const lengths = words.map((word) => Array.from(word).length);
    const total = lengths.reduce((sum, length) => sum + length + pauseLetters, 0);
    const at = (letters: number): number => Math.round((letters / total) * durationSeconds * 1_000) / 1_000;
    let letters = 0;
    return words.map((word, index) => {
      const start = letters;
      letters += (lengths[index] ?? 0) + pauseLetters;
      return { word, start: at(start), end: at(letters - pauseLetters) };
    });
  },
};
