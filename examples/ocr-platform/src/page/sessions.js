/** The dialog with the person's sessions. */
import { call } from './api.js';

/** @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);
const time = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** @param {{ onError: (error: any) => void, onSignOutAll: () => void }} listeners */
export function openSessions({ onError, onSignOutAll }) {
  const dialog = byId('sessions');
  byId('open-sessions').addEventListener('click', async () => {
    try {
      const { sessions } = await call('GET', 'sessions');
      byId('session-list').replaceChildren(...sessions.map(item));
      dialog.showModal();
    } catch (error) {
      onError(error);
    }
  });
  byId('close-sessions').addEventListener('click', () => dialog.close());
  byId('sign-out-all').addEventListener('click', () => {
    dialog.close();
    onSignOutAll();
  });
}

function item({ created_at, last_activity, user_agent, current }) {
  const element = document.createElement('li');
  const title = document.createElement('strong');
  title.textContent = current ? 'This browser' : device(user_agent);
  const facts = document.createElement('p');
  facts.textContent = `Signed in ${time.format(created_at)}, last used ${time.format(last_activity)}`;
  const agent = document.createElement('p');
  agent.textContent = user_agent;
  element.append(title, facts, agent);
  return element;
}

/** @param {string} userAgent */
function device(userAgent) {
  const browser = ['Edg', 'Firefox', 'Chrome', 'Safari'].find((name) => userAgent.includes(`${name}/`));
  const system = ['Windows', 'Android', 'iPhone', 'iPad', 'Mac OS', 'Linux'].find((name) => userAgent.includes(name));
  const known = [browser?.replace('Edg', 'Edge'), system].filter((part) => part !== undefined);
  return known.length > 0 ? known.join(' on ') : 'Another client';
}
