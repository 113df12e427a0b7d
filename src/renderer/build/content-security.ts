/**
 * Makes third-party code fit `style-src 'self'`: no `<style>` element is made at run time.
 *
 * - Nuxt UI's `runtime/plugins/colors.js` writes its colour variables into the head: emptied, build/colours.ts has them instead.
 * - vaul-vue injects its style sheet when it is loaded: that part is cut (we use no drawer, but a barrel may pull it in).
 * - reka-ui's viewports render a `<style>` child that hides scroll bars: rendered as something inert; theme/main.css hides them.
 *
 * Each mend checks that it still finds what it mends, so that an upgrade cannot quietly bring the violation back.
 */
import type { Plugin } from 'vite';

interface Mend {
  readonly file: RegExp;
  readonly apply: (code: string) => string | undefined;
}

const mends: readonly Mend[] = [
  {
    file: /@nuxt\/ui\/dist\/runtime\/plugins\/colors\.js$/,
    apply: (code) => (code.includes('nuxt-ui-colors') ? 'export default { install() {} };' : undefined),
  },
  {
    file: /vaul-vue\/dist\/index\.js$/,
    apply: (code) => {
      const end = code.indexOf('vite-plugin-css-injected-by-js');
      const close = end < 0 ? -1 : code.indexOf('})();', end);
      return close < 0 || close > end + 80 ? undefined : code.slice(close + '})();'.length);
    },
  },
  {
    file: /reka-ui\/dist\/(?:Viewport\/Viewport|Select\/SelectViewport|Combobox\/ComboboxViewport|ScrollArea\/ScrollAreaViewport)\.js$/,
    // `noscript` is never shown, and its text is no style sheet.
    apply: (code) => (code.includes('as: "style"') ? code.replaceAll('as: "style"', 'as: "noscript"') : undefined),
  },
];

export function contentSecurity(): Plugin {
  return {
    name: 'samsa:content-security',
    enforce: 'pre',
    transform(code, id) {
      const path = (id.split('?')[0] ?? id).replaceAll('\\', '/');
      const mend = mends.find((candidate) => candidate.file.test(path));
      if (mend === undefined) return undefined;
      const mended = mend.apply(code);
      if (mended === undefined) this.error(`content-security: ${path} is no longer what the mend knows; look at it again before upgrading`);
      return { code: mended ?? code, map: null };
    },
  };
}
