/** `npm run check`: format, lint with layers and types, types, dead code, unit tests: what CI runs, in the same order. */
import { join } from 'node:path';
import { childEnvironment, generateCode, installDependencies, nodeBinary, root, run, say } from './setup.mjs';

const bin = (name) => join(root, 'node_modules', name);

const STEPS = [
  ['format', [bin('oxfmt/bin/oxfmt'), '--check', '.']],
  ['lint and layers', [bin('oxlint/bin/oxlint'), '--deny-warnings']],
  ['types (Node side)', [bin('typescript7/bin/tsc'), '-p', 'tsconfig.json']],
  ['types (e2e)', [bin('typescript7/bin/tsc'), '-p', 'e2e']],
  ['types (renderer)', [bin('vue-tsc/bin/vue-tsc.js'), '-p', 'src/renderer/tsconfig.json', '--noEmit']],
  ['dead code', [bin('knip/bin/knip.js')]],
];
const UNIT = [
  'unit tests',
  [bin('vitest/vitest.mjs'), 'run', '--reporter=dot', '--reporter=json', '--outputFile.json=test-results/unit.json'],
];

export async function check() {
  await installDependencies();
  await generateCode();
  for (const [name, args] of [...STEPS, UNIT]) {
    const startedMs = Date.now();
    await run(nodeBinary(), args, { env: childEnvironment() });
    say(`check: ${name} ok (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`);
  }
}

if (process.argv[1] && import.meta.url.endsWith('/scripts/check.mjs') && process.argv[1].endsWith('check.mjs')) {
  check().catch((error) => {
    say(`check failed: ${error.message}`);
    process.exitCode = 1;
  });
}
