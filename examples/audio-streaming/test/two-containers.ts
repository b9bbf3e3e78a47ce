import { createMemoryStore, openState, type SharedState } from 'commonhold';
import { onTestFinished } from 'vitest';
import { type AudioState, openAudioState } from '../src/audio-state.js';
import { readSettings } from '../src/settings.js';

/** The shared state of two containers, closed with the test. */
export async function twoContainers(redisUrl: string | undefined): Promise<[AudioState, AudioState]> {
  const open = opener(redisUrl);
  const openOne = async (owner: string): Promise<AudioState> =>
    openAudioState((options) => open({ ...options, owner }), readSettings({}));
  return [await openOne('container-1'), await openOne('container-2')];
}

/** Opens states on one store, closed with the test. */
export function opener(
  redisUrl: string | undefined,
): (options: { readonly namespace: string; readonly owner: string }) => Promise<SharedState> {
  const memory = createMemoryStore();
  return async (options) => {
    const state = await openState({
      ...options,
      environment: {},
      ...(redisUrl === undefined ? { memory } : { redis: redisUrl }),
    });
    onTestFinished(() => state.close());
    return state;
  };
}
