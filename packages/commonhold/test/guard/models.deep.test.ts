import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const tests = join(import.meta.dirname, '..');

it('the model checks of all features run a million steps together', () => {
  const files = readdirSync(tests, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('-model.test.ts'),
  );
  const models = files.flatMap((file) => readFileSync(join(tests, file), 'utf8').match(/=>\s+checkModel\(/g) ?? []);
  const steps = models.length * Number(process.env['COMMONHOLD_MODEL_STEPS']);
  console.log(`${models.length} model checks, ${steps} steps`);
  expect(steps).toBeGreaterThanOrEqual(1_000_000);
});
