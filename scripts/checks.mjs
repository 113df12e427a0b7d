/** What `npm run check` and `npm test` check: format, lint with layers, types, dead code, unit tests, in the order of CI. */
import { join } from 'node:path';
import { childEnvironment, generateCode, installDependencies, nodeBinary, root, run, say } from './setup.mjs';

const bin = (name) => join(root, 'node_modules', name);

const STEPS = [
  { name: 'format', args: [bin('oxfmt/bin/oxfmt'), '--check', '.'] },
  { name: 'lint and layers', args: [bin('oxlint/bin/oxlint'), '--deny-warnings'] },
  { name: 'types (Node side)', args: [bin('typescript7/bin/tsc'), '-p', 'tsconfig.json'] },
  { name: 'types (e2e)', args: [bin('typescript7/bin/tsc'), '-p', 'e2e'] },
  { name: 'types (renderer)', args: [bin('vue-tsc/bin/vue-tsc.js'), '-p', 'src/renderer/tsconfig.json', '--noEmit'] },
  { name: 'dead code', args: [bin('knip/bin/knip.js')] },
  {
    name: 'unit tests',
    args: [
      bin('vitest/vitest.mjs'),
      'run',
      '--reporter=default',
      '--silent=passed-only',
      '--reporter=json',
      '--outputFile.json=test-results/unit.json',
    ],
  },
];

/** Runs every step; rejects at the first that fails. */
export async function check() {
  await installDependencies();
  await generateCode();
  for (const { name, args } of STEPS) {
    const startedMs = Date.now();
    await run(nodeBinary(), args, { env: childEnvironment() });
    say(`check: ${name} ok (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`);
  }
}
