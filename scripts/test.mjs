/**
 * `npm test`: set-up, then check, unit, simulation, integration, interop and end-to-end tests. On Debian as root it installs the
 * programs that the tests drive; elsewhere it says what to install. Options: the names of the stages to run alone.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { check } from './checks.mjs';
import { build, childEnvironment, installDependencies, generateCode, nodeBinary, root, run, say } from './setup.mjs';
import { readReport, summary } from './test-reports.mjs';

/** Program or Python module that a test drives → Debian package. */
const PROGRAMS = { kcat: 'kcat', chromium: 'chromium' };
const PYTHON_MODULES = {
  kafka: 'python3-kafka',
  lz4: 'python3-lz4',
  snappy: 'python3-snappy',
  zstandard: 'python3-zstandard',
  kazoo: 'python3-kazoo',
  // What kazoo's own tests import.
  pytest: 'python3-pytest',
  mock: 'python3-mock',
  objgraph: 'python3-objgraph',
  confluent_kafka: 'python3-confluent-kafka',
};
/** A real ZooKeeper, whose folders and wire ours is compared with. */
const FILES = { '/usr/share/java/zookeeper.jar': 'zookeeper' };
const DEBIAN_PYTHON = '/usr/bin/python3';

const succeeds = (command, args) => {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

function missingPackages() {
  const missing = new Set();
  for (const [program, name] of Object.entries(PROGRAMS)) if (!succeeds('sh', ['-c', `command -v ${program}`])) missing.add(name);
  for (const [module, name] of Object.entries(PYTHON_MODULES)) if (!succeeds(DEBIAN_PYTHON, ['-c', `import ${module}`])) missing.add(name);
  for (const [file, name] of Object.entries(FILES)) if (!existsSync(file)) missing.add(name);
  return [...missing];
}

async function installPrograms() {
  const missing = missingPackages();
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !succeeds('sh', ['-c', 'command -v apt-get'])) {
    throw new Error(`the tests drive programs that are missing here; on Debian: apt-get install ${missing.join(' ')}`);
  }
  say(`installing ${missing.join(', ')} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], { env });
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { env });
}

const bin = (name) => join(root, 'node_modules', name);
const vitest = (kind) =>
  run(
    nodeBinary(),
    [
      bin('vitest/vitest.mjs'),
      'run',
      '--config',
      `vitest.${kind}.config.ts`,
      '--reporter=verbose',
      '--reporter=json',
      `--outputFile.json=test-results/${kind}.json`,
    ],
    { env: childEnvironment() },
  );

const STAGES = {
  check,
  simulation: () => vitest('simulation'),
  integration: () => vitest('integration'),
  interop: () => vitest('interop'),
  e2e: () =>
    run(nodeBinary(), [bin('@playwright/test/cli.js'), 'test', '--config', 'e2e/playwright.config.ts'], { env: childEnvironment() }),
};

async function main() {
  const wanted = process.argv.slice(2);
  for (const name of wanted)
    if (!(name in STAGES)) throw new Error(`there is no test stage "${name}"; there are: ${Object.keys(STAGES).join(', ')}`);
  await installPrograms();
  await installDependencies();
  await generateCode();
  rmSync(join(root, 'test-results'), { recursive: true, force: true });
  mkdirSync(join(root, 'test-results'), { recursive: true });
  await build();
  const failures = [];
  const times = [];
  for (const [name, stage] of Object.entries(STAGES)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const startedMs = Date.now();
    say(`${name} …`);
    await stage().catch((error) => failures.push(`${name}: ${error.message}`));
    times.push(`${name} ${((Date.now() - startedMs) / 1000).toFixed(0)} s`);
    say(times.at(-1));
  }
  const reports = ['unit', 'simulation', 'integration', 'interop', 'e2e'].map((name) =>
    readReport(join(root, 'test-results', `${name}.json`), root),
  );
  // Last of all, since CI's log is cut in the middle.
  for (const failure of failures) say(failure);
  process.stdout.write(`${[times.join(', '), ...summary(reports)].join('\n')}\n`);
  if (failures.length > 0) process.exitCode = 1;
}

main().catch((error) => {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
