/** The grids on screen, so that `j`, `k` and Enter reach the page's main one when nothing has the focus. The last one mounted is in charge. */
export interface GridHandle {
  /** Moves the active row by `by` and gives it the focus. */
  move(by: number): void;
  focus(): void;
}

const mounted: GridHandle[] = [];

export function registerGrid(handle: GridHandle): () => void {
  mounted.push(handle);
  return () => {
    const index = mounted.indexOf(handle);
    if (index >= 0) mounted.splice(index, 1);
  };
}

export function mainGrid(): GridHandle | undefined {
  return mounted.at(-1);
}
