/** A process of its own, which is killed while it uses every feature. Says what was acknowledged to it. */
import { openState } from '../../src/open-state.js';
import { pause } from '../../src/testing/waiting.js';

/** What such a process tells its parent. */
export interface WorkerNews {
  /** It has begun all that it does. */
  readonly ready?: true;
  /** The token of the lock that it holds, and of the session that it writes. */
  readonly lockToken?: string;
  readonly sessionToken?: string;
  /** The number up to which every feature acknowledged its writes. */
  readonly written?: number;
  /** A job that it began. */
  readonly began?: string;
}

const [redis = '', role = 'writer'] = process.argv.slice(2);
const state = await openState({ namespace: 'faults', redis, environment: {} });
const tell = (news: WorkerNews): void => void process.send?.(news);
let closing = false;
process.on('SIGTERM', () => {
  closing = true;
  void state.close().then(() => process.exit(0));
});

if (role === 'writer') await write();
else if (role === 'holder') await hold();
else await work();

/** Writes with every feature, and says how far it came. */
async function write(): Promise<void> {
  const sessions = state.sessions<{ n: number }>('s');
  const { token } = await sessions.create({ user: 'ada', data: { n: 0 } });
  tell({ sessionToken: token, ready: true });
  for (let n = 1; !closing; n += 1) {
    const operationId = `${n}`;
    const writes = [
      sessions.set(token, { n }),
      state.rateLimit('r', '100000 per day').consume('s', { operationId }),
      state.map('m').set('n', n),
      state.channel('p').publish(n),
      state.counter('c').add(1, { operationId }),
      state.uniqueSet('u').add(`member ${n}`),
    ];
    if ((await Promise.allSettled(writes)).every(({ status }) => status === 'fulfilled')) tell({ written: n });
    await pause(2);
  }
}

/** Holds a lock, a member of a presence, and the right to compute a value, for ever. */
async function hold(): Promise<void> {
  const held = await state.lock('l', { lease: '2s' }).acquire();
  await state.presence('p').join({ id: 'dies', region: 'r' });
  const computing = state.cache<string>('c', { computeLease: '2s' }).getOrSet('k', () => {
    tell({ ready: true, lockToken: held?.guard.token ?? '' });
    return new Promise<string>(() => undefined);
  });
  await computing.catch(() => undefined);
}

/** Runs jobs; one of them ends the process. */
async function work(): Promise<void> {
  state.queue<string>('q').work(
    async ({ data }) => {
      tell({ began: data });
      if (data === 'poison') process.exit(1);
      await pause(100);
    },
    { concurrency: 4 },
  );
  tell({ ready: true });
}
