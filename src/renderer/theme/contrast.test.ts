/** The faintest text that says something is readable on its ground (WCAG 2, AA: 4.5 to 1), in both themes. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const css = readFileSync(new URL('main.css', import.meta.url), 'utf8');
type Oklch = readonly [lightness: number, chroma: number, hue: number];

function colourOf(theme: '.light' | '.dark', name: string): Oklch | undefined {
  const block = css.slice(css.indexOf(`${theme} {`)).split('}')[0] ?? '';
  const [, l, c, h] = new RegExp(`${name}: oklch\\(([\\d.]+) ([\\d.]+) ([\\d.]+)\\)`).exec(block) ?? [];
  return l === undefined ? undefined : [Number(l), Number(c), Number(h)];
}

/** Relative luminance, by way of linear sRGB. */
function luminance([lightness, chroma, hue]: Oklch): number {
  const [a, b] = [chroma * Math.cos((hue * Math.PI) / 180), chroma * Math.sin((hue * Math.PI) / 180)];
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const red = 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s;
  const green = -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s;
  const blue = -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

it.each(['.light', '.dark'] as const)('dimmed text can be read, %s', (theme) => {
  const text = colourOf(theme, '--ui-text-dimmed');
  // Nuxt UI's own ground is white in the light.
  const ground = colourOf(theme, '--ui-bg') ?? [1, 0, 0];
  if (text === undefined) throw new Error(`main.css sets no --ui-text-dimmed in ${theme}`);
  const [darker, lighter] = [luminance(text), luminance(ground)].toSorted((x, y) => x - y) as [number, number];
  expect((lighter + 0.05) / (darker + 0.05)).toBeGreaterThan(4.5);
});
