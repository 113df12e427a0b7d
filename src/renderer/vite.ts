/**
 * The renderer's part of the Vite configuration, a plain object that electron.vite.config.ts and the development build merge.
 *
 * Invariants: what comes out runs under `style-src 'self'; script-src 'self'` (build/content-security.ts), asks no network for
 * fonts or icons (both are bundled), and works under any base path (`base: './'`, hash routing), so that one build serves
 * `samsa-app://console/` and the browser host alike.
 */
import { fileURLToPath } from 'node:url';
import nuxtUi from '@nuxt/ui/vite';
import vue from '@vitejs/plugin-vue';
import type { PluginOption, UserConfig } from 'vite';
import { colourVariables } from './build/colours.ts';
import { contentSecurity } from './build/content-security.ts';

const rendererRoot = fileURLToPath(new URL('.', import.meta.url));
const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Vue, Nuxt UI and what mends it for our content security policy. */
export function rendererPlugins(): PluginOption[] {
  return [
    contentSecurity(),
    colourVariables(),
    vue(),
    nuxtUi({
      root: repositoryRoot,
      // Components and composables are imported by path: tools and readers see where a thing comes from.
      autoImport: false,
      components: false,
      colorMode: false,
      theme: { defaultVariants: { size: 'xs' }, transitions: false },
      icon: {
        clientBundle: { scan: { globInclude: ['src/renderer/**/*.{vue,ts}'], globExclude: ['**/node_modules/**'] } },
      },
      ui: {
        colors: { primary: 'primary', neutral: 'neutral' },
        button: {
          slots: { base: 'font-medium cursor-default' },
          variants: { size: { xs: { base: 'h-7', leadingIcon: 'size-3.5', trailingIcon: 'size-3.5' } } },
        },
        modal: {
          slots: { content: 'ring-accented shadow-xl dark:bg-muted' },
          variants: { overlay: { true: { overlay: 'bg-black/30 dark:bg-black/55' } } },
        },
        toast: { slots: { root: 'p-3 gap-2', title: 'text-[13px]', description: 'text-xs', icon: 'size-4 mt-0.5' } },
        tooltip: { slots: { content: 'h-auto max-w-80 py-1 text-xs whitespace-normal' } },
      },
    }) as PluginOption,
  ];
}

export const rendererViteConfig: UserConfig = {
  root: rendererRoot,
  base: './',
  plugins: rendererPlugins(),
  resolve: { alias: [{ find: /^zod$/, replacement: fileURLToPath(new URL('app/zod-jitless.ts', import.meta.url)) }] },
  define: {
    __VUE_OPTIONS_API__: 'true',
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_I18N_FULL_INSTALL__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
    __INTLIFY_DROP_MESSAGE_COMPILER__: 'false',
  },
  build: {
    outDir: fileURLToPath(new URL('../../out/renderer', import.meta.url)),
    emptyOutDir: true,
    target: 'chrome120',
    minify: true,
    // Inlined assets would be `data:` fonts, which `font-src 'self'` refuses.
    assetsInlineLimit: 0,
    // The preload polyfill is an inline-free script, but Chromium needs none.
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    rollupOptions: { input: fileURLToPath(new URL('index.html', import.meta.url)) },
  },
};
