import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { SourceFile } from '../guards/source-file.mjs';

/** The repository this test runs in. */
export const root: string = fileURLToPath(new URL('../..', import.meta.url));

/** Source files that exist in memory only, from their paths and texts. */
export function planted(files: Record<string, string>): SourceFile[] {
  return Object.entries(files).map(([path, text]) => new SourceFile(path, text));
}

/** What a guard objects to in planted files, as the layout check prints it. */
export function objections(
  guard: (files: SourceFile[]) => { path: string; line: number; message: string }[],
  files: Record<string, string>,
): string[] {
  return guard(planted(files)).map(({ path, line, message }) => `${path}:${line}: ${message}`);
}

/** Writes files into a new folder, which is removed when the test ends. */
export function plantFolder(files: Record<string, string>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'commonhold-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: 0o755 });
  }
  return folder;
}

/** Makes an installed package of this repository, or a folder of it, visible in a planted one. */
export function link(folder: string, path: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  symlinkSync(join(root, path), join(folder, path));
}
