/** A process that `runServer` runs, with routes that go wrong in the ways a process can. */
import { runServer } from '@commonhold/server';

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

await runServer([
  {
    name: 'tiny',
    title: 'Tiny',
    description: 'Waits and fails.',
    async mount(host) {
      const { http } = host;
      const state = await host.openState({ namespace: 'tiny' });
      http.get('/slow', async (request) => {
        request.log.info('slow begun');
        await wait(Number(request.query.ms));
        return { waitedMs: Number(request.query.ms) };
      });
      http.post('/throw', async () => {
        setTimeout(() => {
          throw new Error('thrown in a timer');
        });
        return {};
      });
      http.post('/reject', async () => {
        void Promise.reject(new Error('nobody waits for this'));
        return {};
      });
      if (process.env.FAIL === 'mount') throw new Error('no model');
      return {
        async close() {
          await wait(Number(process.env.CLOSE_MS ?? 0));
          await state.counter('closed').add(1);
        },
      };
    },
  },
]);
