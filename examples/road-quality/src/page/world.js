/** What the page knows of roads and members, and how it keeps that right. */
import { call } from './api.js';
import { boxOf, covering } from './geohash.js';

/** Regions looked at closely: their members and segments are asked for one by one. */
const mostClose = 24;
const mostSegments = 20_000;
const refreshMs = 5_000;

/**
 * @typedef {{ quality: number | null, observations: number, members: Set<string>, count: number }} Region
 * @typedef {{ userId: string, regionId: string, latitude: number, longitude: number, toLatitude: number,
 *   toLongitude: number, heardAt: number }} Member
 * @typedef {{ quality: number, observations: number, heardAt: number }} Segment
 */

/** A place within a region that is always the same for one member. @param {string} socketId @param {string} regionId */
function somewhereIn(socketId, regionId) {
  let hash = 7;
  for (const character of socketId) hash = (hash * 31 + character.charCodeAt(0)) % 9_973;
  const { south, north, west, east } = boxOf(regionId);
  return {
    latitude: south + (north - south) * (0.2 + (0.6 * (hash % 97)) / 97),
    longitude: west + (east - west) * (0.2 + (0.6 * (hash % 89)) / 89),
  };
}

export class World {
  /** @type {Map<string, Region>} */
  regions = new Map();
  /** @type {Map<string, Member>} */
  members = new Map();
  /** @type {Map<string, Segment>} */
  segments = new Map();
  /** @type {{ latitude: number, longitude: number, quality: number, at: number }[]} */
  pulses = [];
  /** @type {string[]} */
  areas = [];
  #segmentsOf = new Set();
  #membersOf = new Map();

  /** @param {{ onError: (error: any) => void, onChange: () => void }} listeners */
  constructor({ onError, onChange }) {
    this.onError = onError;
    this.onChange = onChange;
    setInterval(() => void this.refresh(), refreshMs);
  }

  /** @param {string} id */
  region(id) {
    let region = this.regions.get(id);
    if (!region) {
      region = { quality: null, observations: 0, members: new Set(), count: 0 };
      this.regions.set(id, region);
    }
    return region;
  }

  /** Looks at other areas. @param {string[]} areaIds */
  async look(areaIds) {
    const fresh = areaIds.filter((id) => !this.areas.includes(id));
    this.areas = areaIds;
    if (fresh.length > 0) await this.#read(fresh);
  }

  /** Reads everything anew. */
  async refresh() {
    if (document.hidden || this.areas.length === 0) return;
    await this.#read(this.areas);
  }

  /** Forgets what was asked for, since what happened meanwhile was not heard. */
  async reconnect() {
    this.#segmentsOf.clear();
    this.#membersOf.clear();
    await this.refresh();
  }

  async #read(areaIds) {
    try {
      const { areas } = await call('GET', `areas?ids=${areaIds.join(',')}`);
      for (const { regions } of areas) for (const region of regions) this.#merge(region);
      this.onChange();
    } catch (error) {
      this.onError(error);
    }
  }

  #merge({ regionId, quality, observations, members }) {
    const region = this.region(regionId);
    if (observations >= region.observations) Object.assign(region, { quality, observations });
    region.count = members;
    if (members === 0) for (const id of region.members) this.#drop(id);
  }

  /** Asks for what is seen at close range, each region once. @param {import('./geohash.js').Box} box */
  async lookClosely(box) {
    const near = covering(box, 6, mostClose) ?? [];
    await Promise.all(near.map((id) => Promise.all([this.#readSegments(id), this.#readMembers(id)])));
  }

  async #readSegments(regionId) {
    if (this.#segmentsOf.has(regionId) || !this.regions.get(regionId)?.observations) return;
    this.#segmentsOf.add(regionId);
    try {
      const { segments } = await call('GET', `segments?regionId=${regionId}`);
      if (this.segments.size > mostSegments) this.segments.clear();
      for (const { segmentId, quality, observations } of segments) {
        const heardAt = this.segments.get(segmentId)?.heardAt ?? 0;
        this.segments.set(segmentId, { quality, observations, heardAt });
      }
    } catch (error) {
      this.onError(error);
    }
  }

  async #readMembers(regionId) {
    const region = this.regions.get(regionId);
    if (!region || region.count === 0 || this.#membersOf.get(regionId) === region.count) return;
    this.#membersOf.set(regionId, region.count);
    await this.readMembers(regionId);
  }

  /** Asks who is in a region. @param {string} regionId */
  async readMembers(regionId) {
    try {
      const { members } = await call('GET', `regions/${regionId}/members`);
      const live = new Set(members.map(({ socketId }) => socketId));
      for (const id of this.region(regionId).members) if (!live.has(id)) this.#drop(id);
      for (const member of members) this.#place(member);
      return members;
    } catch (error) {
      this.onError(error);
      return [];
    }
  }

  /** Takes in an event of the socket. @param {string} name @param {any} message */
  hear(name, message) {
    if (name === 'observation') this.#observe(message);
    else if (name === 'member_left') this.#left(message);
    else if (name === 'member_joined' || name === 'member_moved') this.#place(message);
    this.onChange();
  }

  #place({ socketId, userId, regionId }) {
    const known = this.members.get(socketId);
    if (known?.regionId === regionId) return;
    if (known) this.#leave(socketId, known.regionId);
    const region = this.region(regionId);
    region.members.add(socketId);
    region.count = Math.max(region.count, region.members.size);
    const to = somewhereIn(socketId, regionId);
    const from = known ?? to;
    this.members.set(socketId, {
      userId,
      regionId,
      latitude: from.latitude,
      longitude: from.longitude,
      toLatitude: to.latitude,
      toLongitude: to.longitude,
      heardAt: performance.now(),
    });
  }

  #leave(socketId, regionId) {
    const region = this.region(regionId);
    if (region.members.delete(socketId)) region.count = Math.max(0, region.count - 1);
  }

  #drop(socketId) {
    const known = this.members.get(socketId);
    if (!known) return;
    this.#leave(socketId, known.regionId);
    this.members.delete(socketId);
  }

  #left({ socketId, regionId }) {
    const region = this.region(regionId);
    // One that was counted and not listed yet.
    if (!this.members.has(socketId)) region.count = Math.max(region.members.size, region.count - 1);
    this.#drop(socketId);
  }

  #observe({ userId, latitude, longitude, quality, regionId, segmentId }) {
    const now = performance.now();
    for (const known of [this.region(regionId), this.segments.get(segmentId) ?? this.#newSegment(segmentId)]) {
      known.quality = ((known.quality ?? 0) * known.observations + quality) / (known.observations + 1);
      known.observations += 1;
    }
    const segment = this.segments.get(segmentId);
    if (segment) segment.heardAt = now;
    this.pulses.push({ latitude, longitude, quality, at: now });
    for (const member of this.members.values()) {
      if (member.userId === userId)
        Object.assign(member, { toLatitude: latitude, toLongitude: longitude, heardAt: now });
    }
  }

  #newSegment(segmentId) {
    const segment = { quality: 0, observations: 0, heardAt: 0 };
    this.segments.set(segmentId, segment);
    return segment;
  }

  /** Members and reports in the areas that are looked at. */
  totals() {
    let [members, reports] = [0, 0];
    for (const [id, region] of this.regions) {
      if (!this.areas.includes(id.slice(0, 4))) continue;
      members += region.count;
      reports += region.observations;
    }
    return { members, reports };
  }

  /** The busiest regions that are looked at. @param {number} most */
  busiest(most) {
    return [...this.regions]
      .filter(([id, { count, observations }]) => this.areas.includes(id.slice(0, 4)) && count + observations > 0)
      .toSorted(([, a], [, b]) => b.count - a.count || b.observations - a.observations)
      .slice(0, most);
  }
}
