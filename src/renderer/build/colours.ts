/**
 * The palette as CSS variables, generated: each scale is a hue and a chroma on one ladder of lightness (OKLCH), so that the
 * same step of two scales has the same contrast. It stands in for Nuxt UI's colour plugin, whose `<style>` the policy refuses:
 * the names `--ui-color-<scale>-<shade>` and `--ui-<scale>` are the ones its theme expects.
 *
 * Imported as `virtual:samsa-colours.css`.
 */
import type { Plugin } from 'vite';

const VIRTUAL = 'virtual:samsa-colours.css';
const RESOLVED = '\0' + VIRTUAL;

/** Shade, lightness, share of the scale's chroma. */
const LADDER: readonly (readonly [number, number, number])[] = [
  [50, 0.977, 0.12],
  [100, 0.948, 0.25],
  [200, 0.9, 0.45],
  [300, 0.83, 0.7],
  [400, 0.745, 0.95],
  [500, 0.635, 1],
  [600, 0.545, 0.95],
  [700, 0.465, 0.82],
  [800, 0.385, 0.66],
  [900, 0.31, 0.5],
  [950, 0.225, 0.36],
];

interface Scale {
  readonly hue: number;
  readonly chroma: number;
}

/** Nuxt UI's seven. `primary` is a beetle's blue-green: apart from every status colour, so that a selection is never taken for a state. */
const SCALES: Readonly<Record<string, Scale>> = {
  primary: { hue: 218, chroma: 0.115 },
  secondary: { hue: 295, chroma: 0.15 },
  success: { hue: 152, chroma: 0.15 },
  info: { hue: 250, chroma: 0.14 },
  warning: { hue: 72, chroma: 0.145 },
  error: { hue: 25, chroma: 0.19 },
};

/** Greys with a breath of blue; the dark end is stretched, as surfaces of the dark theme live there. */
const NEUTRAL: readonly (readonly [number, number, number])[] = [
  [50, 0.982, 0.002],
  [100, 0.962, 0.003],
  [200, 0.915, 0.005],
  [300, 0.855, 0.007],
  [400, 0.69, 0.012],
  [500, 0.545, 0.014],
  [600, 0.44, 0.014],
  [700, 0.345, 0.014],
  [800, 0.27, 0.012],
  [900, 0.215, 0.011],
  [950, 0.165, 0.01],
];

const number = (value: number): string => String(Math.round(value * 1000) / 1000);

/** The style sheet's text; a function of nothing, so that a test can read contrast from it. */
export function colourStyleSheet(): string {
  const variables: string[] = NEUTRAL.map(
    ([shade, lightness, chroma]) => `--ui-color-neutral-${shade}: oklch(${number(lightness)} ${number(chroma)} 255);`,
  );
  for (const [name, scale] of Object.entries(SCALES)) {
    for (const [shade, lightness, share] of LADDER) {
      variables.push(`--ui-color-${name}-${shade}: oklch(${number(lightness)} ${number(scale.chroma * share)} ${scale.hue});`);
    }
  }
  const step = (shade: number): string =>
    Object.keys(SCALES)
      .map((name) => `  --ui-${name}: var(--ui-color-${name}-${shade});`)
      .join('\n');
  return `@layer theme {
:root, :host {
  ${variables.join('\n  ')}
}
:root, :host, .light {
${step(600)}
}
.dark {
${step(400)}
}
}
`;
}

export function colourVariables(): Plugin {
  return {
    name: 'samsa:colours',
    resolveId: (id) => (id === VIRTUAL ? RESOLVED : undefined),
    load: (id) => (id === RESOLVED ? colourStyleSheet() : undefined),
  };
}
