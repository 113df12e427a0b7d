import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** Two files at a time end soonest when the long ones begin first. */
export function longFirst(names: readonly string[]): typeof BaseSequencer {
  const rank = ({ moduleId }: TestSpecification): number => {
    const at = names.findIndex((name) => moduleId.includes(name));
    return at < 0 ? names.length : at;
  };
  return class extends BaseSequencer {
    override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
      return Promise.resolve(files.toSorted((a, b) => rank(a) - rank(b)));
    }
  };
}
