/** The live list of containers. */
import { call } from './api.js';
import { hue, shortName, since } from './format.js';

const lookMs = 1_000;

/** @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);
/** @type {HTMLTemplateElement} */
const template = document.querySelector('#container-template');

/** Shows who lives and what each holds, once a second while somebody looks. */
export function watchContainers() {
  const cards = new Map();
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await call('GET', 'containers');
      showLive(answer.containers.length);
      showContainers(cards, answer.containers);
      showChanges(answer);
    } catch {
      showLive(undefined);
    }
  };
  const again = () => void look().finally(() => setTimeout(again, lookMs));
  again();
}

/** @param {number | undefined} count undefined while the server cannot be reached */
function showLive(count) {
  const text = count === undefined ? 'Connecting' : `${count} ${count === 1 ? 'container' : 'containers'}`;
  if (byId('live-text').textContent !== text) byId('live-text').textContent = text;
  byId('live').classList.toggle('on', count !== undefined);
}

function showContainers(cards, containers) {
  const living = new Set(containers.map(({ owner }) => owner));
  for (const [owner, card] of cards) {
    if (living.has(owner)) continue;
    card.remove();
    cards.delete(owner);
  }
  for (const container of containers) {
    const card = cards.get(container.owner) ?? template.content.firstElementChild.cloneNode(true);
    if (!cards.has(container.owner)) byId('containers').append(card);
    cards.set(container.owner, card);
    showContainer(card, container);
  }
}

function showContainer(card, { container_id: name, started_at, answers, holds }) {
  card.style.setProperty('--hue', String(hue(name)));
  card.querySelector('.name').textContent = name;
  card.querySelector('.here').hidden = !answers;
  card.querySelector('.facts').textContent = `up for ${since(started_at)}`;
  const lines = holds.map((hold) => line(`${shortName(hold.name)}, for ${since(hold.since)}`));
  card.querySelector('.holds').replaceChildren(...(lines.length === 0 ? [line('holds nothing')] : lines));
}

function showChanges({ orphans, taken_over: takenOver }) {
  byId('changes').hidden = orphans.length + takenOver.length === 0;
  byId('change-list').replaceChildren(
    ...orphans.map(({ name, container_id: from }) => line(`${shortName(name)}: ${from} died, nobody has it yet`)),
    ...takenOver.map(({ name, from, container_id: by, taken_over_at: at }) =>
      line(`${shortName(name)}: from ${from} to ${by}, ${since(at)} ago`),
    ),
  );
}

function line(text) {
  const item = document.createElement('li');
  item.textContent = text;
  return item;
}
