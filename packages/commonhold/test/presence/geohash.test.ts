import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { geohashRegions } from '../../src/presence/geohash.js';

const onEarth = fc.record({
  latitude: fc.double({ min: -90, max: 90, noNaN: true }),
  longitude: fc.double({ min: -180, max: 180, noNaN: true }),
});

describe('geohash regions', () => {
  it('S3.3: names the cell of a location, six characters long', () => {
    const { regionOf } = geohashRegions();
    // The examples of Niemeyer's own description, and of the system that S3 describes.
    expect(geohashRegions({ precision: 11 }).regionOf({ latitude: 57.64911, longitude: 10.40744 })).toBe('u4pruydqqvj');
    expect(regionOf({ latitude: 42.6, longitude: -5.6 })).toBe('ezs42e');
    expect(geohashRegions({ precision: 5 }).regionOf({ latitude: 42.6, longitude: -5.6 })).toBe('ezs42');
  });

  it('has as many characters as asked for, 1 to 12', () => {
    for (let precision = 1; precision <= 12; precision++) {
      expect(geohashRegions({ precision }).regionOf({ latitude: -33.9, longitude: 151.2 })).toHaveLength(precision);
    }
    for (const precision of [0, 13, 1.5, Number.NaN, '6' as unknown as number]) {
      expect(() => geohashRegions({ precision })).toThrow(/geohash precision: expected a whole number from 1 to 12/);
    }
  });

  it('refuses what is not on earth, saying what and where', () => {
    const { regionOf } = geohashRegions();
    expect(() => regionOf({ latitude: 90.000001, longitude: 0 })).toThrow(
      /location.latitude: expected degrees from -90 to 90, received 90.000001/,
    );
    expect(() => regionOf({ latitude: 0, longitude: -180.1 })).toThrow(/location.longitude: .* -180 to 180/);
    for (const degrees of [Number.NaN, Infinity, undefined, null, '12'] as number[]) {
      expect(() => regionOf({ latitude: degrees, longitude: 0 })).toThrow(/latitude/);
      expect(() => regionOf({ latitude: 0, longitude: degrees })).toThrow(/longitude/);
    }
    expect(() => regionOf(undefined as never)).toThrow(/an object with latitude and longitude/);
  });

  it('puts a point on an edge into the cell north and east of it', () => {
    const { regionOf } = geohashRegions();
    expect(regionOf({ latitude: 0, longitude: 0 })).toBe('s00000');
    expect(regionOf({ latitude: 45, longitude: 90 })).toBe('y00000');
    expect(regionOf({ latitude: -45, longitude: -90 })).toBe('600000');
  });

  it('takes the corners of the earth', () => {
    const { regionOf, neighboursOf } = geohashRegions();
    for (const latitude of [-90, 90]) {
      for (const longitude of [-180, 0, 180]) expect(neighboursOf(regionOf({ latitude, longitude }))).toHaveLength(5);
    }
  });

  it('has eight neighbours, which are neighbours of one another, also across the 180th meridian', () => {
    const { regionOf, neighboursOf } = geohashRegions();
    expect(neighboursOf(regionOf({ latitude: 10, longitude: 179.999 }))).toContain(
      regionOf({ latitude: 10, longitude: -179.999 }),
    );
    fc.assert(
      fc.property(onEarth, fc.integer({ min: 2, max: 9 }), (location, precision) => {
        const regions = geohashRegions({ precision });
        const region = regions.regionOf(location);
        const around = regions.neighboursOf(region);
        expect(new Set([region, ...around]).size).toBe(around.length + 1);
        expect([5, 8]).toContain(around.length);
        for (const other of around) expect(regions.neighboursOf(other)).toContain(region);
      }),
    );
  });

  it('refuses the neighbours of what is no geohash', () => {
    const { neighboursOf } = geohashRegions();
    for (const region of ['', 'ttngka', 'TTNGKC', 'x'.repeat(13), 5 as unknown as string]) {
      expect(() => neighboursOf(region)).toThrow(/region: expected a geohash/);
    }
  });
});
