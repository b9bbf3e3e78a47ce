import type { Engine, EngineKind } from '../../src/testing/engine.js';
import type { SessionsOptions } from '../../src/session/session-options.js';
import type { Sessions } from '../../src/session/session.js';
import { describe, onTestFinished } from 'vitest';
import { onEveryEngine } from '../engines.js';
import { freshProblem } from '../../src/adapters/http/fresh.js';
import { Browser } from './browser.js';
import { type Action, siteKinds, type SiteOptions, type StartSite, type Visit } from './sites.js';

/** What a browser can do at every site. */
export const actions: Readonly<Record<string, Action>> = {
  '/read': ({ id, user, data, endReason }) => ({ id, user, data, endReason }),
  '/stale': ({ user, stale, endReason }) => ({ user, stale, endReason }),
  '/plain': () => 'nothing',
  '/set': async (session, body) => ({
    written: await session.set(JSON.parse(body) as Partial<Visit>),
    data: session.data,
  }),
  '/unset': async (session) => ({ written: await session.set({ cart: undefined }), data: session.data }),
  '/visit': async (session) => ({
    written: await session.update(({ visits = 0 }) => ({ visits: visits + 1 })),
    data: session.data,
  }),
  '/login': async (session, body) => {
    await session.login(body.replaceAll('"', ''), { role: 'user' });
    return { id: session.id, user: session.user, data: session.data };
  },
  '/logout': async (session) => ({ ended: await session.logout(), user: session.user, data: session.data }),
  '/logout-all': async (session) => ({ ended: await session.logoutAll(), user: session.user }),
  '/logout-others': async (session) => ({ ended: await session.logoutOthers(), user: session.user }),
  '/devices': async (session) => ({
    devices: (await session.list()).map(({ id, device, current }) => ({ id, device, current })),
  }),
  '/logout-one': async (session, body) => ({
    ended: await session.logoutOne(JSON.parse(body) as string),
    user: session.user,
  }),
  '/renew': async (session) => ({ done: await session.renew(), user: session.user, data: session.data }),
  '/fresh': (session) => freshProblem(session, '10m')?.document ?? { fresh: session.isFresh('10m') },
  '/regenerate': async (session) => ({ done: await session.regenerate(), user: session.user, data: session.data }),
};

/** One store, and sites upon it. */
export interface Web {
  readonly engine: Engine;
  readonly sessions: Sessions<Visit>;
  /** A browser at a further site, which has a state of its own unless `sessions` are given. */
  visit(options?: Partial<SiteOptions>): Promise<Browser>;
}

/** Runs `body` for every kind of server on every kind of store. */
export function onEverySite(body: (open: (options?: SessionsOptions) => Promise<Web>) => void): void {
  for (const [name, start] of Object.entries(siteKinds)) {
    describe(name, () => onEveryEngine((kind) => body((options) => openWeb(kind(), start, options))));
  }
}

async function openWeb(kind: EngineKind, start: StartSite, sessionsOptions: SessionsOptions = {}): Promise<Web> {
  const engine = await kind.start();
  onTestFinished(() => engine.close());
  const open = async (): Promise<Sessions<Visit>> => (await engine.open()).sessions<Visit>('web', sessionsOptions);
  return {
    engine,
    sessions: await open(),
    visit: async (options = {}) => {
      const site = await start({ actions, ...options, sessions: options.sessions ?? (await open()) });
      return new Browser(site.port);
    },
  };
}
