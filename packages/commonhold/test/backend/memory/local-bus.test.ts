import { describe, expect, it } from 'vitest';
import { LocalBus } from '../../../src/backend/memory/local-bus.js';
import { recordingLog } from '../redis/connected.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('LocalBus', () => {
  it('delivers to each listener in order, after the publishing step', async () => {
    const bus = new LocalBus();
    const heard: string[] = [];
    await bus.subscribe('c', (message) => void heard.push(`one ${String(message)}`));
    await bus.subscribe('c', (message) => void heard.push(`two ${String(message)}`));
    await bus.subscribe('other', (message) => void heard.push(`other ${String(message)}`));
    bus.publish('c', 'a');
    bus.publish('c', 'b');
    expect(heard).toEqual([]);
    await turn();
    expect(heard).toEqual(['one a', 'two a', 'one b', 'two b']);
  });

  it('ends at once, even for what was published before', async () => {
    const bus = new LocalBus();
    const heard: string[] = [];
    const listener = (message: string | Buffer): void => void heard.push(String(message));
    const [end, endSecond] = [await bus.subscribe('c', listener), await bus.subscribe('c', listener)];
    bus.publish('c', 'a');
    end();
    end();
    await turn();
    expect(heard).toEqual(['a']);
    endSecond();
    bus.publish('c', 'b');
    await turn();
    expect(heard).toEqual(['a']);
  });

  it('can be subscribed and ended in any order', async () => {
    const bus = new LocalBus();
    const heard: string[] = [];
    const first = await bus.subscribe('c', () => void heard.push('first'));
    first();
    await bus.subscribe('c', () => void heard.push('second'));
    first();
    bus.publish('c', 'a');
    await turn();
    expect(heard).toEqual(['second']);
  });

  it('logs what a listener throws, and the others hear all the same', async () => {
    const log = recordingLog();
    const bus = new LocalBus(log);
    const heard: string[] = [];
    await bus.subscribe('c', () => {
      throw new Error('thrown by a listener');
    });
    await bus.subscribe('c', (message) => void heard.push(String(message)));
    bus.publish('c', 'a');
    await turn();
    expect(heard).toEqual(['a']);
    expect(log.lines.join()).toContain('thrown by a listener');
  });

  it('never loses its link', () => {
    const bus = new LocalBus();
    expect(() => bus.onRestored()()).not.toThrow();
  });
});
