/** `--name value` and `--name`, as all benchmarks read them; an unknown one ends the program with what is known. */
import { parseArgs } from 'node:util';

export interface Flags<Value extends string, Switch extends string> {
  /** Undefined when it wasn't given. */
  text(name: Value): string | undefined;
  number(name: Value, otherwise: number): number;
  has(name: Switch): boolean;
}

const NEEDED_MAJOR = 24;

/** @param values flags with a value, @param switches flags without. */
export function readFlags<Value extends string, Switch extends string = never>(
  values: readonly Value[],
  switches: readonly Switch[] = [],
): Flags<Value, Switch> {
  if (Number(process.versions.node.split('.')[0]) < NEEDED_MAJOR)
    fail(`Node ${NEEDED_MAJOR} is needed, this is ${process.version}: node_modules/node/bin/node has it`);
  const options: Record<string, { type: 'string' | 'boolean' }> = {};
  for (const name of values) options[name] = { type: 'string' };
  for (const name of switches) options[name] = { type: 'boolean' };
  const given = parse(options);
  const text = (name: string): string | undefined => {
    const value = given[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    text,
    number(name, otherwise) {
      const value = text(name);
      if (value === undefined) return otherwise;
      const number = Number(value);
      return Number.isFinite(number) && number > 0 ? number : fail(`--${name} is a number above 0, not '${value}'`);
    },
    has: (name) => given[name] === true,
  };
}

function parse(options: Record<string, { type: 'string' | 'boolean' }>): Record<string, unknown> {
  try {
    return parseArgs({ options, allowPositionals: false }).values;
  } catch (error) {
    const known = Object.entries(options).map(([name, { type }]) => (type === 'string' ? `--${name} VALUE` : `--${name}`));
    return fail(`${error instanceof Error ? error.message : String(error)}\nKnown: ${known.join(' ')}`);
  }
}

export function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
