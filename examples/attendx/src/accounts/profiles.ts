import { cachedOrComputed } from '../cache/counted-cache.js';
import type { AttendxState } from '../attendx-state.js';
import type { Account, Profile } from './account.js';

/** Adds a user; false when the e-mail is taken. Of two at once for one e-mail, one is added. */
export async function addUser(state: AttendxState, account: Account, profile: Profile): Promise<boolean> {
  // The account comes last, for it lets its owner in: should this process die between the two, nobody notices.
  await state.profiles.set(profile.user_id, profile);
  const added = await state.accounts.add(accountKey(account.email), account);
  if (!added) await state.profiles.delete(profile.user_id);
  return added;
}

/** The account of an e-mail in any case of letters. */
export function findAccount(state: AttendxState, email: string): Promise<Account | undefined> {
  return state.accounts.get(accountKey(email));
}

/** A profile, through the cache. */
export async function readProfile(state: AttendxState, userId: string): Promise<Profile | undefined> {
  const { profileCache, profiles, counters } = state;
  // An unknown id gives undefined, which the cache returns and does not keep.
  const read = (): Promise<Profile> => profiles.get(userId) as Promise<Profile>;
  return (await cachedOrComputed(profileCache, counters, userId, read)).value;
}

/** Changes a profile and drops what is cached of it, here and in every other process, before it resolves. */
export async function renameUser(state: AttendxState, userId: string, name: string): Promise<Profile | undefined> {
  const renamed = await state.profiles.update(userId, (profile) => profile && { ...profile, name });
  await state.profileCache.delete(userId);
  return renamed;
}

function accountKey(email: string): string {
  return email.normalize('NFC').toLowerCase();
}
