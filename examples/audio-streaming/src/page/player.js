/** Plays a stream, with its words where there are any. */
import { find, streamPath } from './api.js';
import Hls from './hls.js';

/** @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);

export class Player {
  #hls;
  #words = [];
  #plays = 0;

  /** @param {{ onError: (error: Error) => void }} listeners */
  constructor(listeners) {
    this.listeners = listeners;
    this.audio = byId('audio');
    const follow = () => {
      this.#mark();
      if (!this.audio.paused) requestAnimationFrame(follow);
    };
    this.audio.addEventListener('play', follow);
    this.audio.addEventListener('seeked', follow);
    this.audio.addEventListener('ended', () => this.#mark());
  }

  /** @param {any} track @param {string} voiceId */
  async play(track, voiceId) {
    this.#plays++;
    byId('player').hidden = false;
    byId('player-title').textContent = track.filename;
    byId('player-voice').textContent = `voice ${voiceId}`;
    this.#open(streamPath(track.track_id, voiceId, 'playlist.m3u8'));
    // Rejects where the browser wants another click, or something else is played meanwhile.
    this.audio.play().catch(() => undefined);
    await this.#showWords(track.track_id, voiceId, this.#plays);
  }

  #open(playlist) {
    this.#hls?.destroy();
    this.#hls = undefined;
    if (!Hls.isSupported()) {
      this.audio.src = playlist;
      return;
    }
    // No worker and no cues: both come as URLs that the page's policy does not let in, and neither is needed.
    this.#hls = new Hls({ enableWorker: false, enableID3MetadataCues: false, enableEmsgMetadataCues: false });
    this.#hls.on(Hls.Events.ERROR, (_event, { fatal, details }) => {
      if (fatal) this.listeners.onError(new Error(`The stream cannot be played (${details}).`));
    });
    this.#hls.loadSource(playlist);
    this.#hls.attachMedia(this.audio);
  }

  async #showWords(trackId, voiceId, play) {
    const timings = await find(`tracks/${trackId}/timings?voice_id=${encodeURIComponent(voiceId)}`);
    if (play !== this.#plays) return;
    const place = byId('words');
    place.hidden = timings === undefined;
    byId('words-method').hidden = timings === undefined;
    byId('words-method').textContent = timings?.method ?? '';
    this.#words = (timings?.timings ?? []).map(({ word, start, end }) => {
      const element = document.createElement('span');
      element.textContent = word;
      element.addEventListener('click', () => (this.audio.currentTime = start));
      return { element, start, end };
    });
    place.replaceChildren(...this.#words.flatMap(({ element }) => [element, ' ']));
    this.#mark();
  }

  #mark() {
    const now = this.audio.currentTime;
    for (const { element, start, end } of this.#words) {
      element.classList.toggle('now', start <= now && now < end);
      element.classList.toggle('said', end <= now);
    }
  }
}
