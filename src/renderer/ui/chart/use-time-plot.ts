/** A uPlot over the last seconds in a box: colours are read from the theme, and again when it changes; the size follows the box. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { onBeforeUnmount, onMounted } from 'vue';

export interface TimePlotOptions {
  readonly box: () => HTMLElement | null;
  /** Seconds since the epoch, then the values of each series. */
  readonly data: () => uPlot.AlignedData;
  /** Without the first one, which is time. */
  readonly series: (style: CSSStyleDeclaration) => readonly uPlot.Series[];
  /** The span that is always shown, however few samples there are. */
  readonly spanSeconds: () => number;
  readonly format: (value: number) => string;
  readonly clock: Intl.DateTimeFormat;
  /** `incrs`: how far lines may be apart; any distance when left out. */
  readonly yAxis: { readonly size: number; readonly space: number; readonly incrs?: number[] };
}

export interface TimePlot {
  /** The data have changed. */
  readonly update: () => void;
  /** The series have changed. */
  readonly redraw: () => void;
}

export function useTimePlot(options: TimePlotOptions): TimePlot {
  let plot: uPlot | undefined;
  let resizing: ResizeObserver | undefined;
  let theming: MutationObserver | undefined;

  function redraw(): void {
    const element = options.box();
    if (element === null) return;
    plot?.destroy();
    plot = new uPlot(plotOptions(options, element), options.data(), element);
  }

  onMounted(() => {
    redraw();
    const box = options.box();
    resizing = new ResizeObserver(() => {
      if (box !== null && box.clientWidth > 0) plot?.setSize({ width: box.clientWidth, height: box.clientHeight });
    });
    if (box !== null) resizing.observe(box);
    theming = new MutationObserver(redraw);
    theming.observe(document.documentElement, { attributeFilter: ['class'] });
  });
  onBeforeUnmount(() => {
    resizing?.disconnect();
    theming?.disconnect();
    plot?.destroy();
  });
  return { update: () => plot?.setData(options.data()), redraw };
}

function plotOptions(options: TimePlotOptions, element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element);
  const ink = style.getPropertyValue('--ui-text-muted');
  const rule = style.getPropertyValue('--samsa-border-faint');
  const axis = { stroke: ink, font: '11px "Inter Variable", sans-serif', grid: { stroke: rule, width: 1 }, ticks: { show: false } };
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    // On the right half a time's label, which stands under the last line.
    padding: [8, 24, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: true, range: () => [Date.now() / 1000 - options.spanSeconds(), Date.now() / 1000] },
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    axes: [
      { ...axis, size: 22, space: 90, values: (_, splits) => splits.map((seconds) => options.clock.format(seconds * 1000)) },
      { ...axis, ...options.yAxis, values: (_, splits) => splits.map((value) => options.format(value)) },
    ],
    series: [{}, ...options.series(style)],
  };
}
