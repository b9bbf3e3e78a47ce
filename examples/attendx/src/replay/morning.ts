import { createHash, randomInt } from 'node:crypto';
import { madeFace, type Shot } from '../faces/made-face.js';
import { Visitor } from './visitor.js';

/** What to play. */
export interface Morning {
  /** URLs of servers that share their state, without a slash at the end; requests go to them in turn. */
  readonly bases: readonly string[];
  /** How many are enrolled and come. Default 25. */
  readonly people?: number;
  /** How many come who were never enrolled. Default 5. */
  readonly strangers?: number;
  /** Two mornings of one seed have the same people, who stand in the same way. Default: another one each time. */
  readonly seed?: number;
  /** Hears what happens. */
  readonly say?: (line: string) => void;
}

/** How it went. */
export interface MorningReport {
  readonly enrolled: number;
  /** Who was enrolled and recognised as themselves. */
  readonly recognised: number;
  /** Who was taken for somebody else, enrolled or not. */
  readonly mistaken: number;
  /** Answers that no part of the play expects. */
  readonly failed: number;
  /** Mean, of those recognised; 0 when nobody was. */
  readonly similarity: number;
  /** Milliseconds that the median of all attendances took. */
  readonly medianMs: number;
}

const enrolmentsPerAddress = 5;
const atOnce = 8;

interface Enrolled {
  readonly number: number;
  readonly id: unknown;
}

/** Somebody stands before the camera. */
interface Look {
  readonly number: number;
  /** Whom the answer should name; undefined for a stranger. */
  readonly id: unknown;
}

/**
 * Plays a morning: people who do not exist enrol, five from each address since no more are let through, and come in any order,
 * none standing quite as in the picture that they enrolled with; some strangers come too. Loopback addresses of 127/8 are
 * used to come from, so the servers have to run on this machine.
 */
export async function replay({
  bases,
  people = 25,
  strangers = 5,
  // Every morning has people of its own, so that it can be played again and again.
  seed = randomInt(2 ** 30),
  say = () => {},
}: Morning): Promise<MorningReport> {
  const first = seed;
  const numbers = Array.from({ length: people + strangers }, (_, index) => first + index);
  const enrolled = await enrolAll(bases, numbers.slice(0, people));
  say(`${enrolled.length} of ${people} people are enrolled.`);
  const unknown = numbers.slice(people).map((number) => ({ number, id: undefined }));
  const looks = shuffled<Look>([...enrolled, ...unknown], seed);
  const outcomes = await inTurns(looks, (look) => show(bases, look, say));
  return summary(enrolled.length, outcomes);
}

async function enrolAll(bases: readonly string[], numbers: readonly number[]): Promise<Enrolled[]> {
  const enrolled = await inTurns(batches(numbers), async (batch) => {
    const visitor = new Visitor(bases, { address: randomAddress() });
    const done: Enrolled[] = [];
    for (const number of batch) {
      const { status, json } = await visitor.enrol(nameOf(number), await madeFace(number));
      if (status === 201) done.push({ number, id: json['person_id'] });
    }
    visitor.leave();
    return done;
  });
  return enrolled.flat();
}

interface Outcome {
  readonly kind: 'recognised' | 'mistaken' | 'unknown' | 'failed';
  readonly similarity: number;
  readonly tookMs: number;
}

async function show(bases: readonly string[], look: Look, say: (line: string) => void): Promise<Outcome> {
  const picture = await madeFace(look.number, shotOf(look.number));
  const visitor = new Visitor(bases, { address: randomAddress() });
  const startedAtMs = performance.now();
  const { status, json } = await visitor.attend(picture);
  const tookMs = performance.now() - startedAtMs;
  visitor.leave();
  const similarity = Number(json['similarity'] ?? 0);
  const kind = kindOf(status, json['person_id'], look.id);
  const whom =
    kind === 'unknown'
      ? 'nobody who is enrolled'
      : `${String(json['name'])}, ${(similarity * 100).toFixed(1)} % similar`;
  say(
    `${nameOf(look.number)}: ${kind === 'failed' ? `answer ${status}` : whom}${kind === 'mistaken' ? ' (mistaken)' : ''}`,
  );
  return { kind, similarity, tookMs };
}

function kindOf(status: number, seen: unknown, id: unknown): Outcome['kind'] {
  if (status === 200) return seen === id ? 'recognised' : 'mistaken';
  // Who is enrolled has to be found.
  return status === 404 && id === undefined ? 'unknown' : 'failed';
}

function summary(enrolled: number, outcomes: readonly Outcome[]): MorningReport {
  const count = (kind: Outcome['kind']): number => outcomes.filter((outcome) => outcome.kind === kind).length;
  const recognised = outcomes.filter(({ kind }) => kind === 'recognised');
  const similarity = recognised.reduce((sum, outcome) => sum + outcome.similarity, 0) / (recognised.length || 1);
  const times = outcomes.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
  const medianMs = times[Math.floor(times.length / 2)] ?? 0;
  return {
    enrolled,
    recognised: recognised.length,
    mistaken: count('mistaken'),
    failed: count('failed'),
    similarity,
    medianMs,
  };
}

const firstNames = [
  'Ada',
  'Grace',
  'Katherine',
  'Alan',
  'Barbara',
  'Edsger',
  'Frances',
  'Donald',
  'Radia',
  'Tony',
  'Hedy',
];
const lastNames = ['Lovett', 'Harper', 'Jansen', 'Turner', 'Lindgren', 'Dykstra', 'Allan', 'Keller', 'Pearl', 'Moore'];

function nameOf(number: number): string {
  return `${firstNames[number % firstNames.length] ?? ''} ${lastNames[number % lastNames.length] ?? ''}`;
}

/** Nobody stands as another does. */
function shotOf(number: number): Shot {
  return {
    shift: [drawn(`${number} x`, -5, 5), drawn(`${number} y`, -4, 4)],
    brightness: drawn(`${number} light`, 85, 115) / 100,
    tilt: drawn(`${number} tilt`, -3, 3),
    noise: drawn(`${number} noise`, 0, 25),
  };
}

/** A whole number from `least` to `most`, always the same for one `what`. */
function drawn(what: string, least: number, most: number): number {
  return least + (createHash('sha256').update(what).digest().readUInt32BE() % (most - least + 1));
}

function randomAddress(): string {
  return `127.${randomInt(1, 255)}.${randomInt(256)}.${randomInt(1, 255)}`;
}

function batches(numbers: readonly number[]): number[][] {
  const count = Math.ceil(numbers.length / enrolmentsPerAddress);
  return Array.from({ length: count }, (_, index) =>
    numbers.slice(index * enrolmentsPerAddress, (index + 1) * enrolmentsPerAddress),
  );
}

function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  const order = items.map((item, index) => ({ item, at: drawn(`${seed} ${index}`, 0, 2 ** 31) }));
  return order.toSorted((one, other) => one.at - other.at).map(({ item }) => item);
}

/** Works on a few items at a time; results are in the order of the items. */
async function inTurns<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
