import { cosineSimilarity, type Embedding } from '../embedding/embedding.js';
import type { Person } from './person.js';

/** Who an image shows, probably. */
export interface Recognition {
  readonly person: Person;
  /** Cosine similarity, from the embedding's threshold to 1. */
  readonly similarity: number;
}

/**
 * The person whose embedding is the most similar one, unless that is below the threshold. Looks at all of them: 10,000 people
 * take about 5 ms.
 */
export function nearestPerson(
  people: Iterable<readonly [id: string, person: Person]>,
  embedding: Float32Array,
  { name, threshold }: Pick<Embedding, 'name' | 'threshold'>,
): Recognition | undefined {
  let nearest: Recognition | undefined;
  for (const [, person] of people) {
    if (person.embedding_name !== name) continue;
    const similarity = cosineSimilarity(person.embedding, embedding);
    if (similarity >= Math.max(threshold, nearest?.similarity ?? -1)) nearest = { person, similarity };
  }
  return nearest;
}
