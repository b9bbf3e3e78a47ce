import type { Engine, EngineKind } from './engine.js';

/** The two functions of a test runner that the suites need: vitest, jest, mocha and node:test all have them. */
export interface TestRunner {
  describe(name: string, body: () => void): void;
  it(name: string, body: () => Promise<void>): void;
}

/** Declares one conformance test; `body` gets a fresh engine that is closed afterwards. */
export type DeclareTest = (name: string, body: (engine: Engine) => Promise<void>) => void;

/** Runs the tests that `declare` makes, on one kind of engine. */
export function describeSuite(
  runner: TestRunner,
  kind: () => EngineKind,
  name: string,
  declare: (test: DeclareTest) => void,
): void {
  runner.describe(name, () => {
    declare((title, body) =>
      runner.it(title, async () => {
        const engine = await kind().start();
        try {
          await body(engine);
        } finally {
          await engine.close();
        }
      }),
    );
  });
}
