/** The list of recordings, kept up to date while anything goes on. */
import { call, find } from './api.js';
import { TrackCard } from './track-card.js';

const lookMs = 400;
const listMs = 4_000;

/** @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);

export class TrackList {
  #cards = new Map();
  #loadedAtMs = -Infinity;

  /** @param {{ onPlay: (track: any, voiceId: string) => void, onError: (error: any) => void, announce: (text: string) => void }} listeners */
  constructor(listeners) {
    this.listeners = listeners;
    const look = () => void this.#look().finally(() => setTimeout(look, lookMs));
    look();
  }

  /** Reads the list anew. */
  async reload() {
    this.#loadedAtMs = performance.now();
    const { tracks } = await call('GET', 'tracks');
    for (const track of tracks.toReversed()) if (!this.#cards.has(track.track_id)) await this.#add(track);
    byId('empty').hidden = this.#cards.size > 0;
  }

  /** Asks for a conversion into the voice that is chosen on the card. @param {string} trackId */
  async convert(trackId) {
    // One that is too old to be listed has no card.
    const card = this.#cards.get(trackId)?.card;
    await call('POST', `tracks/${trackId}/conversions`, { voice_id: card?.voice ?? 'original' });
    card?.showProgress({ status: 'pending', container_id: null, total_segments: 0, processed_segments: 0 });
  }

  async #look() {
    if (document.hidden) return;
    try {
      if (performance.now() - this.#loadedAtMs > listMs) await this.reload();
      const open = [...this.#cards].filter(([, { card }]) => ['pending', 'processing'].includes(card.progress?.status));
      await Promise.all(open.map(([id]) => this.#showProgress(id)));
    } catch {
      // The list of containers says that the server is away; the next look may find it.
    }
  }

  async #add(track) {
    const id = track.track_id;
    const guard = (work) => work.catch((error) => this.listeners.onError(error));
    const card = new TrackCard(track, {
      onConvert: () => void guard(this.convert(id)),
      onPlay: (voiceId) => this.listeners.onPlay(track, voiceId),
      onOpenText: () => void guard(this.#showText(id)),
      onSaveText: (text) => void guard(this.#saveText(id, text)),
    });
    this.#cards.set(id, { card, track });
    byId('tracks').prepend(card.element);
    card.find('.voice').addEventListener('change', () => void guard(this.#showProgress(id)));
    if (track.progress === null) return;
    card.find('.voice').value = track.progress.voice_id;
    await this.#showProgress(id);
  }

  async #showProgress(id) {
    const { card, track } = this.#cards.get(id);
    const before = card.progress?.status;
    const { voice } = card;
    const progress = await find(`tracks/${id}/progress?voice_id=${encodeURIComponent(voice)}`);
    if (voice !== card.voice) return;
    card.showProgress(progress);
    if (progress?.status === 'completed' && before !== 'completed')
      this.listeners.announce(`${track.filename} is ready`);
  }

  async #showText(id) {
    const text = await find(`tracks/${id}/text`);
    const field = this.#cards.get(id).card.find('textarea');
    if (text !== undefined && field.value === '') field.value = text.text;
  }

  async #saveText(id, text) {
    await call('PUT', `tracks/${id}/text`, { text });
    this.listeners.announce('The text is saved.');
    this.#cards.get(id).card.find('details').open = false;
  }
}
