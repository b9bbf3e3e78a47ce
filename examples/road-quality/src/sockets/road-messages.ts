import type { PresenceEvent } from 'commonhold';
import type { Meta } from '../road-state.js';
import { areaOf } from '../regions.js';

/** What the members of a region hear about one another. */
export interface MemberMessage {
  readonly socketId: string;
  readonly userId: string;
  /** Where the member is now; of one that left, where it was. */
  readonly regionId: string;
}

/** One message, and who gets it: the members and the watchers of these regions. */
export interface Delivery {
  readonly event: 'member_joined' | 'member_left' | 'member_moved';
  readonly message: MemberMessage;
  readonly regionIds: readonly string[];
}

/** What sockets hear of a change of presence; undefined of members that are in no region. */
export function deliveryOf(change: PresenceEvent<Meta>): Delivery | undefined {
  const { id: socketId, user: userId = '', region: regionId } = change.member;
  if (regionId === undefined) return undefined;
  const message = { socketId, userId, regionId };
  if (change.type === 'left') return { event: 'member_left', message, regionIds: [regionId] };
  const from = change.type === 'moved' ? change.from : undefined;
  if (from === undefined) return { event: 'member_joined', message, regionIds: [regionId] };
  // Who stays behind sees by the region that the member is gone.
  return { event: 'member_moved', message, regionIds: [from, regionId] };
}

/** The room of the members of a region. */
export function regionRoom(regionId: string): string {
  return `region:${regionId}`;
}

/** The room of those who look at an area without being there. */
export function areaRoom(areaId: string): string {
  return `area:${areaId}`;
}

/** The rooms that hear what happens in these regions. */
export function roomsOf(regionIds: readonly string[]): string[] {
  return [...regionIds.map(regionRoom), ...regionIds.map((regionId) => areaRoom(areaOf(regionId)))];
}
