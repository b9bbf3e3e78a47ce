import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Due, ExpiryHeap } from '../../../src/backend/memory/expiry-heap.js';

function due(atMs: number, wanted = true): Due {
  return { atMs, wanted: () => wanted, look: () => undefined };
}

function drain(heap: ExpiryHeap, beforeMs: number): number[] {
  const times: number[] = [];
  for (let next = heap.popBefore(beforeMs); next; next = heap.popBefore(beforeMs)) times.push(next.atMs);
  return times;
}

describe('ExpiryHeap', () => {
  it('gives what is due in order of time, however it was put in', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 100 })), fc.integer({ min: 0, max: 100 }), (times, now) => {
        const heap = new ExpiryHeap();
        for (const time of times) heap.push(due(time));
        const sorted = times.toSorted((a, b) => a - b);
        expect(heap.earliestMs).toBe(sorted[0]);
        expect(drain(heap, now)).toEqual(sorted.filter((time) => time < now));
        expect(heap.size).toBe(sorted.filter((time) => time >= now).length);
        expect(drain(heap, Infinity)).toEqual(sorted.filter((time) => time >= now));
      }),
    );
  });

  it('stays ordered when putting in and taking out alternate', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constant('pop' as const))), (steps) => {
        const heap = new ExpiryHeap();
        let model: number[] = [];
        for (const step of steps) {
          if (step !== 'pop') {
            heap.push(due(step));
            model = [...model, step].toSorted((a, b) => a - b);
          } else expect(heap.popBefore(Infinity)?.atMs).toBe(model.shift());
          expect(heap.earliestMs).toBe(model[0]);
        }
      }),
    );
  });

  it('drops what nobody wants and keeps the order of the rest', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 100 }), fc.boolean())), (items) => {
        const heap = new ExpiryHeap();
        for (const [time, wanted] of items) heap.push(due(time, wanted));
        heap.compact();
        const kept = items.filter(([, wanted]) => wanted).map(([time]) => time);
        expect(drain(heap, Infinity)).toEqual(kept.toSorted((a, b) => a - b));
      }),
    );
  });

  it('is not due in the millisecond itself', () => {
    const heap = new ExpiryHeap();
    heap.push(due(10));
    expect(heap.popBefore(10)).toBeUndefined();
    expect(heap.popBefore(11)).toBeDefined();
    expect(heap.earliestMs).toBeUndefined();
  });
});
