/** The form for signing in and signing up. */
import { call } from './api.js';

/** @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);

/** @param {() => void} onSignedIn */
export function openSignIn(onSignedIn) {
  let isNew = false;

  const show = () => {
    const title = isNew ? 'Create an account' : 'Sign in';
    byId('credentials-title').textContent = title;
    byId('submit').textContent = title;
    byId('switch-text').textContent = isNew ? 'Have an account?' : 'New here?';
    byId('switch').textContent = isNew ? 'Sign in' : 'Create an account';
    byId('password-hint').hidden = !isNew;
    byId('name-field').hidden = !isNew;
    byId('credentials-password').autocomplete = isNew ? 'new-password' : 'current-password';
  };

  byId('switch').addEventListener('click', () => {
    isNew = !isNew;
    showNotice('');
    show();
    byId(isNew ? 'credentials-name' : 'credentials-email').focus();
  });

  byId('credentials').addEventListener('submit', async (event) => {
    event.preventDefault();
    const email = byId('credentials-email').value.trim();
    const password = byId('credentials-password').value;
    const name = byId('credentials-name').value.trim();
    byId('submit').disabled = true;
    showNotice('');
    try {
      if (isNew) await call('POST', 'users', { email, password, ...(name === '' ? {} : { name }) });
      await call('POST', 'login', { email, password });
      byId('credentials').reset();
      isNew = false;
      show();
      onSignedIn();
    } catch (error) {
      showNotice(error.message);
      byId(error.status === 401 ? 'credentials-password' : 'credentials-email').focus();
    } finally {
      byId('submit').disabled = false;
    }
  });
}

/** Says something above the fields. @param {string} text empty for nothing */
export function showNotice(text) {
  byId('notice').textContent = text;
  byId('notice').hidden = text === '';
}
