/** Who came today, and what the cache says of itself. */

/** @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);

const hues = 12;

/** @param {{ enrolled: number, present: { person_id: string, name: string, first_seen: number, similarity: number }[] }} day */
export function showToday({ enrolled, present }) {
  byId('present-count').textContent = `${present.length} of ${enrolled}`;
  byId('nobody').hidden = present.length > 0;
  byId('people').replaceChildren(...present.map(row));
}

/** @param {{ person_id: string, name: string, first_seen: number, similarity: number }} person */
function row({ person_id, name, first_seen, similarity }) {
  const item = document.createElement('li');
  const badge = element('span', 'badge', initials(name));
  badge.dataset['hue'] = String(Number.parseInt(person_id.slice(0, 6), 16) % hues);
  badge.setAttribute('aria-hidden', 'true');
  const time = new Date(first_seen).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const facts = element('span', 'facts', `${time} · ${(similarity * 100).toFixed(1)} %`);
  item.append(badge, element('span', 'person-name', name), facts);
  return item;
}

/** @param {string} name */
function initials(name) {
  const words = name.split(/\s+/);
  return [words[0], words.length > 1 ? words.at(-1) : '']
    .map((word) => Array.from(word ?? '')[0] ?? '')
    .join('')
    .toUpperCase();
}

/** @param {{ hits: number, misses: number, keys: number, memory: number, mode: string, connected: boolean }} stats */
export function showStats({ hits, misses, keys, memory, mode, connected }) {
  const away = mode === 'redis' && !connected;
  const facts = [
    ['Cache hits', hits],
    ['Cache misses', misses],
    ['Keys', keys],
    ['Memory', memory === null ? null : `${(memory / 1_048_576).toFixed(1)} MB`],
    ['State', away ? 'Redis, away' : mode === 'redis' ? 'Redis' : 'in memory'],
  ];
  byId('stats').replaceChildren(
    ...facts.map(([name, value]) => fact(String(name), value === null ? '–' : String(value))),
  );
}

/** @param {string} name @param {string} value */
function fact(name, value) {
  const group = document.createElement('div');
  group.append(element('dt', '', name), element('dd', '', value));
  return group;
}

/** @param {string} tag @param {string} className @param {string} text */
function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
