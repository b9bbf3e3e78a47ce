/** The panel beside the map: the busiest regions, or one region with its members and segments. */
import { call } from './api.js';
import { colourOf, wordFor } from './colours.js';

const mostBusy = 12;
const mostSegments = 8;

/** @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);

/** @param {number} count @param {string} word */
const counted = (count, word) => `${count.toLocaleString()} ${word}${count === 1 ? '' : 's'}`;

/** @param {string} tag @param {string} [className] @param {string} [text] */
function element(tag, className = '', text = '') {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** A coloured square with a number. @param {number | null} quality */
function badge(quality) {
  const made = element('span', 'badge', quality === null ? '–' : String(Math.round(quality)));
  if (quality !== null) made.style.backgroundColor = colourOf(quality);
  made.title = wordFor(quality);
  return made;
}

export class Panel {
  selected = '';
  #drawn = '';

  /**
   * @param {import('./world.js').World} world
   * @param {{ onPick: (regionId: string) => void, onError: (error: any) => void }} listeners
   */
  constructor(world, { onPick, onError }) {
    this.world = world;
    this.onPick = onPick;
    this.onError = onError;
    byId('back').addEventListener('click', () => onPick(''));
  }

  /** @param {string} regionId empty for the list of regions */
  async select(regionId) {
    this.selected = regionId;
    byId('overview').hidden = regionId !== '';
    byId('region').hidden = regionId === '';
    this.draw();
    if (regionId !== '') await Promise.all([this.world.readMembers(regionId), this.readSegments()]);
    this.draw();
  }

  /** Shows what the world knows now. */
  draw() {
    if (this.selected === '') this.#drawOverview();
    else this.#drawRegion();
  }

  #drawOverview() {
    const busiest = this.world.busiest(mostBusy);
    const state = JSON.stringify(
      busiest.map(([id, { count, quality, observations }]) => [id, count, quality, observations]),
    );
    if (state === this.#drawn) return;
    this.#drawn = state;
    byId('no-regions').hidden = busiest.length > 0;
    // A list that is drawn anew under the fingers of somebody would take the focus away.
    const focused = /** @type {any} */ (document.activeElement)?.dataset?.region;
    const rows = busiest.map(([id, region]) => {
      const row = element('li');
      const button = element('button', 'row');
      button.dataset['region'] = id;
      button.append(badge(region.quality), element('code', '', id));
      button.append(
        element('span', 'facts', `${counted(region.count, 'member')} · ${counted(region.observations, 'report')}`),
      );
      button.addEventListener('click', () => this.onPick(id));
      row.append(button);
      return row;
    });
    byId('regions').replaceChildren(...rows);
    if (focused) byId('regions').querySelector(`[data-region="${focused}"]`)?.focus();
  }

  #drawRegion() {
    this.#drawn = '';
    const { quality, observations, members } = this.world.region(this.selected);
    byId('region-id').textContent = this.selected;
    byId('region-badge').replaceChildren(badge(quality));
    byId('region-facts').textContent = `${wordFor(quality)}, ${counted(observations, 'report')}`;
    const present = [...members].map((id) => [id, this.world.members.get(id)]);
    byId('no-members').hidden = present.length > 0;
    byId('members').replaceChildren(
      ...present.map(([id, member]) => {
        const row = element('li', 'member');
        row.append(element('span', 'who', member?.userId ?? ''), element('code', 'socket', id));
        return row;
      }),
    );
  }

  /** Reads the segments of the selected region anew. */
  async readSegments() {
    const regionId = this.selected;
    try {
      const { segments } = await call('GET', `segments?regionId=${regionId}`);
      if (regionId === this.selected) this.#drawSegments(segments);
    } catch (error) {
      this.#drawSegments([]);
      this.onError(error);
    }
  }

  #drawSegments(segments) {
    const worst = segments.toSorted((a, b) => a.quality - b.quality);
    byId('no-segments').hidden = segments.length > 0;
    byId('segment-count').textContent = segments.length > 0 ? `of ${segments.length}` : '';
    byId('segments').replaceChildren(
      ...worst.slice(0, mostSegments).map(({ segmentId, quality, observations }) => {
        const row = element('li', 'segment');
        row.append(
          badge(quality),
          element('code', '', segmentId),
          element('span', 'facts', counted(observations, 'report')),
        );
        return row;
      }),
    );
  }
}
