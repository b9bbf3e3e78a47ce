import { type MountedSystem, servePage, type System, type SystemHost } from '@commonhold/server';
import multipart from '@fastify/multipart';
import { cookieSessions } from 'commonhold/fastify';
import { openAttendxState } from './attendx-state.js';
import type { Embedding } from './embedding/embedding.js';
import { imageDescriptor } from './embedding/image-descriptor.js';
import { attendanceRoutes } from './http/attendance-routes.js';
import { cacheRoutes } from './http/cache-routes.js';
import { userRoutes } from './http/user-routes.js';
import { Attendance } from './people/attendance.js';
import { readSettings } from './settings.js';

/** What of AttendX can be replaced. */
export interface AttendxOptions {
  /** How images become vectors. Default {@link imageDescriptor}, which is no face recogniser. */
  readonly embedding?: Embedding;
}

/** AttendX: people enrol once, and are recognised when they come. */
export function attendx({ embedding = imageDescriptor }: AttendxOptions = {}): System {
  return {
    name: 'attendx',
    title: 'AttendX',
    description: 'Attendance by image: cookie sessions, a limited enrolment, cached embeddings.',
    mount: (host) => mount(host, embedding),
  };
}

/** AttendX as it comes. */
export const system: System = attendx();

async function mount(host: SystemHost, embedding: Embedding): Promise<MountedSystem> {
  const settings = readSettings(host.environment);
  const state = await openAttendxState((options) => host.openState(options), host.http.log);
  const attendance = new Attendance(state, embedding);
  // Who starts without Redis reads them later.
  attendance.people().catch((error: unknown) => host.http.log.warn({ error: String(error) }, 'nobody is known yet'));
  await servePage(host.http, new URL('page/', import.meta.url));
  // The page needs no session, and comes while the store is away.
  await host.http.register(async (http) => {
    await http.register(multipart);
    await http.register(cookieSessions, {
      sessions: state.sessions,
      // By the name that clients know, in the clear too: at a door it runs without TLS.
      cookie: { name: 'session', secure: 'auto' },
    });
    userRoutes(http, state);
    attendanceRoutes(http, state, attendance, settings);
    cacheRoutes(http, state);
  });
  return { close: () => Promise.resolve() };
}
