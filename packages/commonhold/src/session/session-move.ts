import { mergeFields } from './session-fields.js';
import type {
  SessionAddress,
  SessionFieldChanges,
  SessionPort,
  SessionRecord,
  SessionRefusal,
  SessionRotation,
  SessionSpace,
} from './session-port.js';
import { orCorrupt } from './session-reader.js';

/** Where a session is, and where it goes. */
interface Way {
  readonly from: SessionAddress;
  readonly to: SessionAddress;
}

/**
 * Moves a session to a new id: in one step within a bucket. To another one, where a login takes it, the old session ends
 * first and the new one begins with what it held.
 */
export function moveSession(
  port: SessionPort,
  space: SessionSpace,
  way: Way,
  rotation: SessionRotation,
  fields: SessionFieldChanges,
): Promise<SessionRecord | SessionRefusal> {
  const isNear = space.prefix !== undefined || way.from.bucket === way.to.bucket;
  if (isNear) return orCorrupt(port.rotate(space, way.from, way.to.id, rotation, fields));
  const mayBeRefused = space.whenFull === 'refuse' && space.maxPerUser > 0;
  return mayBeRefused ? moveIfRoom(port, space, way, rotation, fields) : moveFar(port, space, way, rotation, fields);
}

async function moveFar(
  port: SessionPort,
  space: SessionSpace,
  { from, to }: Way,
  holder: SessionRotation,
  fields: SessionFieldChanges,
): Promise<SessionRecord | SessionRefusal> {
  const taken = await orCorrupt(port.take(space, from, fields));
  if (typeof taken === 'string') return taken;
  return port.create(space, to, holder, mergeFields(taken.fields, fields));
}

// A login that may be refused must not cost the session that it begins with: the new one is made first, and what the old
// one holds is written to it once that has ended.
async function moveIfRoom(
  port: SessionPort,
  space: SessionSpace,
  { from, to }: Way,
  holder: SessionRotation,
  fields: SessionFieldChanges,
): Promise<SessionRecord | SessionRefusal> {
  const made = await port.create(space, to, holder, []);
  if (made === 'full') return made;
  const taken = await orCorrupt(port.take(space, from, fields));
  if (typeof taken === 'string') {
    await port.revoke(space, to, undefined);
    return taken;
  }
  const merged = mergeFields(taken.fields, fields);
  const version = await port.set(space, to, merged);
  return typeof version === 'number' ? { ...made, version, fields: merged } : 'revoked';
}
