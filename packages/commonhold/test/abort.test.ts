import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { onAbort, unlessAborted } from '../src/abort.js';

const listening = ({ signal }: AbortController): number => getEventListeners(signal, 'abort').length;

describe('waiting on a signal', () => {
  it('costs one listener however many wait, and none when the last has left', () => {
    const controller = new AbortController();
    const heard: number[] = [];
    const leave = Array.from({ length: 20 }, (_, n) => onAbort(controller.signal, () => heard.push(n)));
    expect(listening(controller)).toBe(1);
    for (const one of leave.slice(2)) one();
    expect(listening(controller)).toBe(1);
    controller.abort();
    expect(heard).toEqual([0, 1]);
    expect(listening(controller)).toBe(0);
    for (const one of leave) one();

    const other = new AbortController();
    const listener = (): void => void heard.push(-1);
    const [first, second] = [onAbort(other.signal, listener), onAbort(other.signal, listener)];
    first();
    first();
    expect(listening(other)).toBe(1);
    second();
    expect(listening(other)).toBe(0);
    onAbort(other.signal, listener);
    other.abort();
    expect(heard.at(-1)).toBe(-1);
  });

  it('ends with the work or with the reason, whichever is first', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error('enough');
    expect(await unlessAborted(Promise.resolve(1), signal)).toBe(1);
    expect(await unlessAborted(Promise.resolve(1), undefined)).toBe(1);
    await expect(unlessAborted(Promise.reject(reason), signal)).rejects.toBe(reason);
    expect(listening(controller)).toBe(0);
    const waiting = unlessAborted(new Promise(() => undefined), signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(unlessAborted(new Promise(() => undefined), signal)).rejects.toBe(reason);
  });
});
