/** Finds the definitions: each module in `definitions/` and `definitions/data/` has one as its default export. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Definition } from './definition.ts';

const definitionsFolder = join(import.meta.dirname, '..', 'definitions');

/** APIs by key, then stored messages by name. Throws when two have the same key or name. */
export async function loadDefinitions(): Promise<readonly Definition[]> {
  const definitions: Definition[] = [];
  for (const folder of [definitionsFolder, join(definitionsFolder, 'data')]) {
    for (const name of readdirSync(folder).sort()) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
      const module = (await import(pathToFileURL(join(folder, name)).href)) as { default: Definition };
      definitions.push(module.default);
    }
  }
  const seen = new Set<string | number>();
  for (const definition of definitions) {
    for (const id of definition.kind === 'api' ? [definition.name, definition.key] : [definition.name]) {
      if (seen.has(id)) throw new Error(`${id} is defined twice`);
      seen.add(id);
    }
  }
  return definitions;
}
