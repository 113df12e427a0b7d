import { randomBytes, randomInt } from 'node:crypto';
import type { Random } from '../random.ts';

export const nodeRandom: Random = {
  next: () => Math.random(),
  int: (bound) => randomInt(bound),
  bytes: (length) => randomBytes(length),
};
