import type { Ports } from '../backend/backend.js';
import { systemClock } from '../clock.js';
import type { Engine, EngineKind } from './engine.js';

/** One step of a model check: a call on the ports of either engine, or a movement of time. */
export type ModelStep =
  | { readonly label: string; run(ports: Ports): Promise<unknown> }
  | { readonly label: string; readonly advanceMs: number };

/** Two engines that must answer alike. */
export interface Twins {
  readonly left: EngineKind;
  readonly right: EngineKind;
}

/** Native expiry goes by real time: lifetimes of a model end half a second off the grid on which it moves time. */
const longestRunMs = 400;
const mostRuns = 10;

/**
 * Runs `steps` on a fresh engine of each kind and compares every answer, errors by their code. A run on so busy a machine
 * that lifetimes may have ended by themselves meanwhile proves no difference, and is made again.
 * @throws Error naming the first step whose answers differ, with both answers.
 */
export async function compareTwins(twins: Twins, steps: readonly ModelStep[]): Promise<void> {
  for (let runs = 1; ; runs++) {
    const startedAtMs = systemClock.monotonic();
    try {
      return await compareOnce(twins, steps);
    } catch (error) {
      if (runs === mostRuns || systemClock.monotonic() - startedAtMs < longestRunMs) throw error;
    }
  }
}

async function compareOnce(twins: Twins, steps: readonly ModelStep[]): Promise<void> {
  const [left, right] = await Promise.all([twins.left.start(), twins.right.start()]);
  try {
    const ports = { left: await left.ports(), right: await right.ports() };
    for (const [index, step] of steps.entries()) {
      const answers = await Promise.all([answer(left, ports.left, step), answer(right, ports.right, step)]);
      if (answers[0] === answers[1]) continue;
      const trail = steps.slice(0, index + 1).map((past) => past.label);
      throw new Error(
        `step ${index} differs: ${twins.left.name} says ${answers[0]}, ${twins.right.name} says ${answers[1]}\n` +
          `steps:\n  ${trail.join('\n  ')}`,
      );
    }
  } finally {
    await Promise.all([left.close(), right.close()]);
  }
}

async function answer(engine: Engine, ports: Ports, step: ModelStep): Promise<string> {
  if ('advanceMs' in step) {
    await engine.advance(step.advanceMs);
    return 'advanced';
  }
  try {
    return comparable(await step.run(ports));
  } catch (error) {
    return `error ${String((error as { code?: unknown }).code ?? error)}`;
  }
}

// Bytes and text of equal content are equal answers: a real server always answers bytes.
function comparable(value: unknown): string {
  if (value === undefined) return 'undefined';
  return JSON.stringify(value, (_, part: unknown) => {
    if (part === undefined) return { undefined: true };
    if (isSerializedBuffer(part)) return Buffer.from(part.data).toString('latin1');
    return typeof part === 'string' ? Buffer.from(part).toString('latin1') : part;
  });
}

function isSerializedBuffer(value: unknown): value is { readonly type: 'Buffer'; readonly data: number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value;
}
