/** What columns of the same kind of value share: spread into a `GridColumn`. */
import { formatBytes, formatCount } from '../format.ts';
import type { GridValue } from './grid-model.ts';

type Present = Exclude<GridValue, null | undefined>;

export const countColumn = { align: 'end', format: (value: Present) => formatCount(Number(value)) } as const;
export const bytesColumn = { align: 'end', format: (value: Present) => formatBytes(Number(value)) } as const;
