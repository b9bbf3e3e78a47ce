import { describe, expect, it } from 'vitest';
import { cosineSimilarity } from '../../src/embedding/embedding.js';
import { nearestPerson } from '../../src/people/nearest-person.js';
import type { Person } from '../../src/people/person.js';

function person(name: string, embedding: number[], embedding_name = 'e'): [string, Person] {
  return [
    name,
    {
      person_id: name,
      name,
      embedding_id: '',
      embedding_name,
      embedding: Float32Array.from(embedding),
      enrolled_at: 0,
    },
  ];
}

const people = [person('ada', [1, 0]), person('grace', [0, 1]), person('other', [1, 1], 'another function')];
const rule = { name: 'e', threshold: 0.9 };

describe('the nearest person', () => {
  it.each([
    [[2, 0.1], 'ada'],
    [[0.1, 3], 'grace'],
    [[1, 1], undefined],
    [[-1, 0], undefined],
    [[0, 0], undefined],
    [[1, 0, 0], undefined],
  ])('of %j is %s', (embedding, expected) => {
    expect(nearestPerson(people, Float32Array.from(embedding), rule)?.person.name).toBe(expected);
  });

  it('is found at exactly the threshold', () => {
    const seen = Float32Array.from([3, 4]);
    expect(nearestPerson(people, seen, { name: 'e', threshold: 0.8 })).toMatchObject({
      person: { name: 'grace' },
      similarity: 0.8,
    });
    expect(nearestPerson(people, seen, { name: 'e', threshold: 0.801 })).toBeUndefined();
  });

  it('is found among 10,000', () => {
    const many = Array.from({ length: 10_000 }, (_, n) =>
      person(
        `p${n}`,
        Array.from({ length: 288 }, (_, i) => Math.sin(n * 31 + i * i)),
      ),
    );
    const seen = many[7_777]?.[1].embedding ?? new Float32Array();
    expect(nearestPerson(many, seen, rule)).toMatchObject({ person: { name: 'p7777' } });
  });
});

describe('cosine similarity', () => {
  it.each([
    [[1, 2], [2, 4], 1],
    [[1, 0], [0, 1], 0],
    [[1, 1], [-1, -1], -1],
    [[0, 0], [1, 1], 0],
    [[1], [1, 1], 0],
    [[], [], 0],
  ])('of %j and %j is %d', (left, right, expected) => {
    expect(cosineSimilarity(Float32Array.from(left), Float32Array.from(right))).toBeCloseTo(expected, 6);
  });
});
