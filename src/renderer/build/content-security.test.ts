import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { contentSecurity } from './content-security.ts';

const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));

/** What the plugin makes of an installed file; throws what Vite would stop the build with. */
function mended(file: string): string | undefined {
  const { transform } = contentSecurity();
  if (typeof transform !== 'function') throw new Error('transform is no function');
  const path = `${modules}/${file}`;
  const context = {
    error: (message: string) => {
      throw new Error(message);
    },
  };
  const result = transform.call(context as never, readFileSync(path, 'utf8'), path) as { code: string } | undefined;
  return result?.code;
}

it('still knows what it mends in the packages that are installed', () => {
  expect(mended('@nuxt/ui/dist/runtime/plugins/colors.js')).not.toContain('style');
  expect(mended('vaul-vue/dist/index.js')).not.toContain('createElement("style")');
  for (const file of ['Viewport/Viewport', 'Select/SelectViewport', 'Combobox/ComboboxViewport', 'ScrollArea/ScrollAreaViewport']) {
    expect(mended(`reka-ui/dist/${file}.js`)).not.toContain('as: "style"');
  }
});

it('leaves other files alone', () => {
  expect(mended('reka-ui/dist/index.js')).toBeUndefined();
});

it('stops the build when a package has changed under it', () => {
  const { transform } = contentSecurity();
  const context = {
    error: (message: string) => {
      throw new Error(message);
    },
  };
  expect(() =>
    (transform as (code: string, id: string) => unknown).call(context as never, 'export {}', '/x/vaul-vue/dist/index.js'),
  ).toThrow(/no longer/);
});
