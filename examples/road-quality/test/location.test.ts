import { describe, expect, it } from 'vitest';
import { readLocation } from '../src/location.js';
import { areaOf, isGeohash, regionOf, segmentOf } from '../src/regions.js';
import { isUserId } from '../src/user-id.js';

describe('a location', () => {
  it.each([
    { latitude: 0, longitude: 0 },
    { latitude: 90, longitude: -180 },
    { latitude: -90, longitude: 180 },
  ])('is taken: $latitude, $longitude', (location) => {
    expect(readLocation({ ...location, heading: 7 })).toEqual(location);
  });

  it.each([
    [undefined, '{latitude,longitude}'],
    [null, '{latitude,longitude}'],
    ['28.7,77.2', '{latitude,longitude}'],
    [[28.7, 77.2], 'latitude'],
    [{}, 'latitude'],
    [{ latitude: '28.7', longitude: 77.2 }, 'latitude'],
    [{ latitude: 90.000_001, longitude: 0 }, 'latitude'],
    [{ latitude: -91, longitude: 0 }, 'latitude'],
    [{ latitude: Number.NaN, longitude: 0 }, 'latitude'],
    [{ latitude: 0, longitude: Number.NaN }, 'longitude'],
    [{ latitude: 0, longitude: Infinity }, 'longitude'],
    [{ latitude: 0, longitude: 180.5 }, 'longitude'],
    [{ latitude: 0, longitude: null }, 'longitude'],
    [{ latitude: 0 }, 'longitude'],
  ])('is refused: %j', (value, blamed) => {
    expect(readLocation(value)).toContain(`expected`);
    expect(readLocation(value)).toContain(blamed);
  });
});

describe('regions', () => {
  it('S3.3: a region is a geohash of 6, which a segment of 8 and an area of 4 share their beginning with', () => {
    const delhi = { latitude: 28.7037, longitude: 77.2079 };
    expect(regionOf(delhi)).toBe('ttngkc');
    expect(segmentOf(delhi)).toMatch(/^ttngkc..$/);
    expect(areaOf('ttngkc')).toBe('ttng');
    // The example of the encoding's author.
    expect(regionOf({ latitude: 57.649_11, longitude: 10.407_44 })).toBe('u4pruy');
  });

  it.each(['ttngkc', 'u4pruy', '000000', 'zzzzzz'])('%s is one', (id) => expect(isGeohash(id, 6)).toBe(true));

  it.each(['ttngk', 'ttngkc1', 'ttngka', 'ttngki', 'TTNGKC', 'ttngk ', '', undefined, 7, ['ttngkc']])(
    '%j is none',
    (id) => expect(isGeohash(id, 6)).toBe(false),
  );
});

describe('a user id', () => {
  it.each(['a', '507f1f77bcf86cd799439011', 'Åsa Öberg', 'x'.repeat(100), '\u{1f697}'])('may be %j', (id) =>
    expect(isUserId(id)).toBe(true),
  );

  it.each(['', 'x'.repeat(101), 'a\nb', 'a\u0000', '\ud800', 7, null, undefined, {}])('may not be %j', (id) =>
    expect(isUserId(id)).toBe(false),
  );
});
