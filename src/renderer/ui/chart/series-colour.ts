/** Colours of series, told apart on light and dark alike, also by the colour-blind (lightness differs too). */
const COLOURS = [
  'oklch(0.62 0.12 220)',
  'oklch(0.72 0.15 65)',
  'oklch(0.58 0.18 305)',
  'oklch(0.68 0.15 150)',
  'oklch(0.6 0.2 20)',
  'oklch(0.75 0.1 190)',
];

export function seriesColour(index: number): string {
  return COLOURS[index % COLOURS.length] ?? 'currentColor';
}
