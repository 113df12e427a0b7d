/**
 * Writes `src/protocol/generated` from `src/protocol/definitions`: one module each, and `all-apis.ts`, the list of APIs.
 * A file is written only when its text changed, and files that no definition makes are removed.
 *
 *     node src/protocol/generator/main.ts
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Definition } from './definition.ts';
import { loadDefinitions } from './load.ts';
import { fileNameOf, generateModule } from './generate.ts';

const generatedFolder = join(import.meta.dirname, '..', 'generated');

const files = new Map<string, string>();
const definitions = await loadDefinitions();
for (const definition of definitions) files.set(fileNameOf(definition.name), generateModule(definition));
files.set('all-apis.ts', listOfApis(definitions));

mkdirSync(generatedFolder, { recursive: true });
let written = 0;
for (const [name, text] of files) {
  const path = join(generatedFolder, name);
  if (readIfThere(path) === text) continue;
  writeFileSync(path, text);
  written += 1;
}
const stale = readdirSync(generatedFolder).filter((name) => !files.has(name));
for (const name of stale) rmSync(join(generatedFolder, name), { recursive: true });
process.stdout.write(`protocol: ${files.size} modules, ${written} written, ${stale.length} removed\n`);

function listOfApis(all: readonly Definition[]): string {
  const apis = all.filter((definition) => definition.kind === 'api');
  const imports = apis.map(({ name }) => `import { ${name} } from './${fileNameOf(name)}';`);
  const names = apis.map(({ name }) => `  ${name},`);
  return `/** Generated from src/protocol/definitions: do not edit. All APIs, by key. */
import type { AnyApi } from '../api.ts';
${imports.join('\n')}

export const allApis: readonly AnyApi[] = [
${names.join('\n')}
];
`;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
