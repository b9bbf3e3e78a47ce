import type { OpenOptions } from 'commonhold';
import type { System, SystemHost } from '../src/system.js';

/** What a test wants of the system besides its routes. */
export interface TinyOptions {
  readonly name?: string;
  /** Options of its state, such as the Redis to use. */
  readonly state?: OpenOptions;
  /** Called when it is mounted. */
  readonly onMount?: (host: SystemHost) => unknown;
  /** Called when a slow request has begun. */
  readonly onSlow?: () => unknown;
  /** Called when it is closed; the server waits for it. */
  readonly onClose?: () => unknown;
}

/** A secret that must never be seen in a log or an answer. */
export const canary = 'canary-7d1f0b';

const person = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 2 },
    age: { type: 'integer', minimum: 0 },
    tags: { type: 'array', items: { type: 'string' } },
  },
};

/** A system with one route for each thing that can happen to a request. */
export function tinySystem(options: TinyOptions = {}): System {
  const { name = 'tiny', state: stateOptions = {}, onMount, onSlow, onClose } = options;
  return {
    name,
    title: 'Tiny <system>',
    description: 'Counts & waits.',
    mount: async (host) => {
      const { http, sockets } = host;
      const state = await host.openState({ namespace: name, ...stateOptions });
      const hits = state.counter('hits', { away: 'throw' });
      http.post('/count', async () => ({ count: await hits.add(1) }));
      http.get(
        '/person/:age',
        { schema: { params: { type: 'object', properties: { age: { type: 'integer' } } } } },
        (request) => Promise.resolve(request.params),
      );
      http.post('/person', { schema: { body: person } }, (request) => Promise.resolve(request.body));
      http.get('/slow', async (request) => {
        const { ms = '0' } = request.query as { ms?: string };
        onSlow?.();
        await new Promise((resolve) => setTimeout(resolve, Number(ms)));
        return { waitedMs: Number(ms) };
      });
      http.get('/throw', () => Promise.reject(new Error(`with ${canary} inside`)));
      http.get('/refused', () => state.cache('c').get(''));
      http.get('/log', (request) => {
        request.log.info({ req: request, headers: request.headers, token: canary, deep: { password: canary } }, 'look');
        return Promise.resolve({});
      });
      http.get('/address', (request) => Promise.resolve({ ip: request.ip }));
      sockets.of(`/${name}`).on('connection', (socket) => {
        socket.on('echo', (text: unknown, answer: (text: unknown) => void) => answer(text));
      });
      await onMount?.(host);
      return { close: async () => void (await onClose?.()) };
    },
  };
}
