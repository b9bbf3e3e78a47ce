import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BusyError, ConcurrencyLimit, problem } from '@commonhold/server';
import type { MapReplica } from 'commonhold';
import type { AttendxState } from '../attendx-state.js';
import { cachedOrComputed } from '../cache/counted-cache.js';
import { isStoreFailure } from '../cache/store-failure.js';
import type { Embedding } from '../embedding/embedding.js';
import { ImageError } from '../embedding/image-format.js';
import { nearestPerson, type Recognition } from './nearest-person.js';
import type { Person } from './person.js';

/** An image's embedding. */
export interface EmbeddedImage {
  /** SHA-256 of the image, in hexadecimal. */
  readonly embedding_id: string;
  readonly embedding: Float32Array;
  /** Whether the same bytes were embedded before, by any process. */
  readonly cached: boolean;
}

/** Somebody who came today. */
export interface Arrival {
  readonly person_id: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly first_seen: number;
  readonly similarity: number;
}

/** How long arrivals are kept: a day, and the hours until it is over everywhere. */
const arrivalSeconds = 2 * 86_400;
/** How long an answer waits for people who were enrolled elsewhere. */
const longestCatchUpMs = 500;
const catchUpStepMs = 10;

/** Enrols people and recognises them, over all processes. */
export class Attendance {
  readonly #state: AttendxState;
  readonly #embedding: Embedding;
  #replica: Promise<MapReplica<Person>> | undefined;
  /** A decoded image takes memory, and a thread of sharp's. */
  readonly #slots = new ConcurrencyLimit(2, 128);

  constructor(state: AttendxState, embedding: Embedding) {
    this.#state = state;
    this.#embedding = embedding;
  }

  /** Everybody who is enrolled, in this process. Read at the first call that finds the store. */
  people(): Promise<MapReplica<Person>> {
    this.#replica ??= this.#state.people.replica().catch((error: unknown) => {
      this.#replica = undefined;
      throw error;
    });
    return this.#replica;
  }

  /** Embeds an image, once over all processes while its embedding is cached. Throws a 415, 422, or 503 when overrun. */
  async embed(image: Buffer): Promise<EmbeddedImage> {
    const { name, embed } = this.#embedding;
    const embedding_id = createHash('sha256').update(image).digest('hex');
    const compute = (): Promise<Float32Array> => this.#slots.run(() => embed(image)).catch(refuse);
    const { embeddingCache, counters } = this.#state;
    const { value, cached } = await cachedOrComputed(embeddingCache, counters, `${name}:${embedding_id}`, compute);
    return { embedding_id, embedding: value, cached };
  }

  /** Adds a person, whom every process knows soon after. */
  async enrol(person: Omit<Person, 'embedding_name' | 'enrolled_at'>): Promise<void> {
    const embedding_name = this.#embedding.name;
    await this.#state.people.set(person.person_id, { ...person, embedding_name, enrolled_at: Date.now() });
  }

  /** Who the embedding belongs to, of all who were enrolled before the call, by any process. */
  async recognise(embedding: Float32Array): Promise<Recognition | undefined> {
    const people = await this.people();
    const nearest = nearestPerson(people, embedding, this.#embedding);
    if (nearest !== undefined || (await this.#isComplete(people))) return nearest;
    // Somebody was enrolled elsewhere a moment ago, and is on the way here.
    await this.#whenComplete(people);
    return nearestPerson(people, embedding, this.#embedding);
  }

  /** Remembers that somebody came today, the first time with when. Nothing is remembered while Redis is away. */
  async note({ person, similarity }: Recognition): Promise<void> {
    const redis = this.#state.utility.getRedisClient();
    const key = arrivalKey(person.person_id);
    if (await redis.exists(key)) return;
    await redis.set(key, { first_seen: Date.now(), similarity }, arrivalSeconds);
  }

  /** Who came today (UTC), the latest first; nobody while Redis is away. */
  async today(): Promise<{ readonly day: string; readonly enrolled: number; readonly present: Arrival[] }> {
    const people = [...(await this.people())];
    const found = await this.#state.utility.getRedisClient().getMany(people.map(([id]) => arrivalKey(id)));
    const present = people.flatMap(([person_id, { name }]) => {
      const seen = found?.get(arrivalKey(person_id)) as Pick<Arrival, 'first_seen' | 'similarity'> | undefined;
      return seen === undefined ? [] : [{ person_id, name, ...seen }];
    });
    return {
      day: today(),
      enrolled: people.length,
      present: present.toSorted((one, other) => other.first_seen - one.first_seen),
    };
  }

  async #isComplete(people: MapReplica<Person>): Promise<boolean> {
    try {
      return people.size >= (await this.#state.people.count());
    } catch (error) {
      // Without the store, those who are known here have to do.
      if (isStoreFailure(error)) return true;
      throw error;
    }
  }

  async #whenComplete(people: MapReplica<Person>): Promise<void> {
    for (let look = 0; look < longestCatchUpMs / catchUpStepMs; look++) {
      await sleep(catchUpStepMs);
      if (await this.#isComplete(people)) return;
    }
  }
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function arrivalKey(personId: string): string {
  return `arrival:${today()}:${personId}`;
}

function refuse(error: unknown): never {
  if (error instanceof ImageError) throw problem(error.kind === 'unsupported' ? 415 : 422, error.message);
  if (error instanceof BusyError) throw problem(503, error.message, { headers: { 'Retry-After': '1' } });
  throw error;
}
