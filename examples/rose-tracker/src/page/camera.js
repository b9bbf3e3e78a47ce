/** A camera that films a scene and sends its frames to the server. */
import { call } from './api.js';

const frameMs = 90;
const retryMs = 1_000;

/**
 * @typedef {{ display_count: number, frame_count: number, session_unique_roses: number, total_unique_roses: number }} Counts
 * @typedef {{
 *   onStart: (session: { session_id: string, session_number: number }) => void,
 *   onFrame: (frame: number, seen: number, counts: Counts) => void,
 *   onStop: (entry: any) => void,
 *   onError: (error: Error) => void,
 * }} CameraListener
 */

/** One run of one scene: a session from its first frame to its stop. */
export class Camera {
  #scene;
  #listener;
  #running = true;
  #paused = false;
  #resume = () => {};

  /** @param {import('./scenes.js').Scene} scene @param {CameraListener} listener */
  constructor(scene, listener) {
    this.#scene = scene;
    this.#listener = listener;
    void this.#run().catch((error) => listener.onError(error));
  }

  get paused() {
    return this.#paused;
  }

  /** Holds the scene still, or lets it go on. */
  togglePause() {
    this.#paused = !this.#paused;
    this.#resume();
  }

  /** Ends the session after the frame under way. */
  stop() {
    this.#running = false;
    this.#paused = false;
    this.#resume();
  }

  async #run() {
    const session = await call('POST', 'sessions');
    this.#listener.onStart(session);
    for (let frame = 1; this.#running && frame <= this.#scene.frames; frame += 1) {
      await Promise.all([this.#send(session.session_id, frame), this.#wait(frameMs)]);
      while (this.#paused) await new Promise((resolve) => (this.#resume = resolve));
    }
    this.#listener.onStop(await call('POST', `sessions/${session.session_id}/stop`));
  }

  /** A frame may be sent again without harm, so a server that is away for a moment costs nothing. */
  async #send(id, frame) {
    const roses = this.#scene.at(frame).map((sighting) => sighting.id);
    while (this.#running) {
      try {
        const counts = await call('POST', `sessions/${id}/frames`, { frame, roses });
        return this.#listener.onFrame(frame, roses.length, counts);
      } catch (error) {
        if (error.status !== 0 && error.status !== 503) throw error;
        this.#listener.onError(error);
        await this.#wait(retryMs);
      }
    }
  }

  #wait(ms) {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }
}
