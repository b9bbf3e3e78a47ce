import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Piece } from './piece.js';
import { countSegments, segmentName, writePlaylist } from '../hls/playlist.js';
import { addFile, modifiedAtNs, readFileIfThere, replaceFile } from './write-whole.js';

/**
 * The files of tracks, in a directory that all containers share: `files/<track>` is the recording, named by its SHA-256,
 * `texts/<track>.txt` its text, `hls/<track>/<voice>/` a stream. Each appears whole or not at all; recordings, plans and
 * segments never change, and a stream is finished when its playlist is there. Ids must have been checked.
 */
export class TrackFiles {
  readonly #directory: string;

  /** @param directory made as needed. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Where the recording is, if it is. */
  recording(trackId: string): string {
    return join(this.#directory, 'files', trackId);
  }

  async hasRecording(trackId: string): Promise<boolean> {
    return (await modifiedAtNs(this.recording(trackId))) !== undefined;
  }

  /** Moves a finished file to its place; the same bytes may be there already. */
  async keepRecording(temporary: string, trackId: string): Promise<void> {
    const path = this.recording(trackId);
    await mkdir(dirname(path), { recursive: true });
    await rename(temporary, path);
  }

  /** When the text was last written, in nanoseconds; undefined without one. */
  textModifiedAtNs(trackId: string): Promise<bigint | undefined> {
    return modifiedAtNs(this.#text(trackId));
  }

  async readText(trackId: string): Promise<string | undefined> {
    return (await readFileIfThere(this.#text(trackId)))?.toString('utf8');
  }

  writeText(trackId: string, text: string): Promise<void> {
    return replaceFile(this.#text(trackId), text);
  }

  /** Where segments and playlist of a stream are. */
  stream(trackId: string, voiceId: string): string {
    return join(this.#directory, 'hls', trackId, voiceId);
  }

  /** Adds the plan of a stream; returns false, and changes nothing, where another container was first. */
  addPlan(trackId: string, voiceId: string, plan: readonly Piece[]): Promise<boolean> {
    return addFile(this.#plan(trackId, voiceId), JSON.stringify(plan));
  }

  async readPlan(trackId: string, voiceId: string): Promise<readonly Piece[] | undefined> {
    const plan = await readFileIfThere(this.#plan(trackId, voiceId));
    return plan && (JSON.parse(plan.toString('utf8')) as Piece[]);
  }

  readSegment(trackId: string, voiceId: string, index: number): Promise<Buffer | undefined> {
    return readFileIfThere(join(this.stream(trackId, voiceId), segmentName(index)));
  }

  /** Adds a segment; returns false, and changes nothing, where another container was first. */
  addSegment(trackId: string, voiceId: string, index: number, segment: Buffer): Promise<boolean> {
    return addFile(join(this.stream(trackId, voiceId), segmentName(index)), segment);
  }

  /** Says that all segments are there. */
  finishStream(trackId: string, voiceId: string, durations: readonly number[]): Promise<void> {
    return replaceFile(this.#playlist(trackId, voiceId), writePlaylist(durations));
  }

  /** How many segments a finished stream has; undefined while it is not finished. */
  async segmentsOf(trackId: string, voiceId: string): Promise<number | undefined> {
    const playlist = await readFileIfThere(this.#playlist(trackId, voiceId));
    return playlist && countSegments(playlist.toString('utf8'));
  }

  #plan(trackId: string, voiceId: string): string {
    return join(this.stream(trackId, voiceId), 'plan.json');
  }

  #playlist(trackId: string, voiceId: string): string {
    return join(this.stream(trackId, voiceId), 'playlist.m3u8');
  }

  #text(trackId: string): string {
    return join(this.#directory, 'texts', `${trackId}.txt`);
  }
}
