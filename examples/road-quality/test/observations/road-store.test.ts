import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/observations/observation.js';
import { RoadStore } from '../../src/observations/road-store.js';
import { databases } from '../database/databases.js';

let longitude = 10;

/** A report from a region where no test was before. */
function report(changes: Partial<Report> = {}): Report {
  longitude += 0.1;
  return { observationId: randomUUID(), userId: 'ada', latitude: 28.7037, longitude, quality: 70, ...changes };
}

describe.each(databases)('observations, %s', (_name, own) => {
  const database = own();
  const store = (): RoadStore => new RoadStore(database());

  it('S3.1: stores a report and folds it into its segment', async () => {
    const first = report({ quality: 71.5 });
    const { observation, isNew } = await store().add(first);
    expect(isNew).toBe(true);
    expect(observation).toEqual({
      ...first,
      segmentId: expect.stringMatching(/^[0-9a-z]{8}$/) as string,
      regionId: observation.segmentId.slice(0, 6),
      observedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    });
    await store().add({ ...first, observationId: randomUUID(), quality: 20 });
    expect(await store().segments(observation.regionId)).toEqual([
      {
        segmentId: observation.segmentId,
        regionId: observation.regionId,
        quality: 45.75,
        observations: 2,
        lastObservedAt: expect.any(String) as string,
      },
    ]);
  });

  it('counts a repeated report once, and answers with what is stored', async () => {
    const one = report();
    const { observation } = await store().add(one);
    expect(await store().add({ ...one, quality: 1 })).toEqual({ observation, isNew: false });
    expect(await store().segments(observation.regionId)).toMatchObject([{ quality: 70, observations: 1 }]);
  });

  it('counts reports that come at once, and the same one at once, each once', async () => {
    const place = report();
    const others = Array.from({ length: 20 }, (_, quality) => ({ ...place, observationId: randomUUID(), quality }));
    const added = await Promise.all([...others, ...others, place, place, place].map((one) => store().add(one)));
    expect(added.filter(({ isNew }) => isNew)).toHaveLength(21);
    const [segment, ...rest] = await store().segments(added[0]?.observation.regionId ?? '');
    expect(rest).toEqual([]);
    expect(segment).toMatchObject({ observations: 21, quality: Math.round(((190 + 70) / 21) * 1_000) / 1_000 });
  });

  it('adds up exactly, in whatever order', async () => {
    const place = report();
    const qualities = [0.1, 0.2, 0.7, 99.999, 33.333, 0.001];
    for (const quality of [...qualities, ...qualities.toReversed()]) {
      await store().add({ ...place, observationId: randomUUID(), quality });
    }
    const { observation } = await store().add({ ...place, observationId: randomUUID(), quality: 0 });
    const sum = 2 * 134.333;
    expect(await store().segments(observation.regionId)).toMatchObject([
      { observations: 13, quality: Math.round((sum / 13) * 1_000) / 1_000 },
    ]);
  });

  it('tells regions of an area apart, and none of another', async () => {
    const east = report({ latitude: -33.4, longitude: 150.01, quality: 10 });
    const west = { ...east, observationId: randomUUID(), longitude: 150.06, quality: 90 };
    const far = report({ latitude: 60, longitude: 10, quality: 50 });
    const all = await Promise.all([east, west, far].map((one) => store().add(one)));
    const [first = '', second = ''] = all.map(({ observation }) => observation.regionId);
    expect(first).not.toBe(second);
    expect(await store().regions(first.slice(0, 4))).toEqual(
      [
        { regionId: first, quality: 10, observations: 1 },
        { regionId: second, quality: 90, observations: 1 },
      ].toSorted((a, b) => (a.regionId < b.regionId ? -1 : 1)),
    );
    expect(await store().regions('0000')).toEqual([]);
    expect(await store().segments('000000')).toEqual([]);
  });

  it.each([
    ['the poles and the date line', { latitude: 90, longitude: 180 }],
    ['their other ends', { latitude: -90, longitude: -180 }],
    ['nowhere in particular', { latitude: 0, longitude: 0 }],
    ['a user of any script', { userId: "Åsa 'O; drop table road_segments; --" }],
    ['the best quality', { quality: 100 }],
    ['the worst quality', { quality: 0 }],
  ])('keeps %s as it is', async (_what, changes) => {
    const one = report(changes);
    expect((await store().add(one)).observation).toMatchObject(one);
  });
});
