/**
 * What a fresh clone needs before anything of ours can run: dependencies, Node 24, generated code, the build.
 * Runs on any Node from 20 on, with nothing installed. Each step is skipped when its inputs have not changed.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const NEEDED_MAJOR = 24;
const at = (...parts) => join(root, ...parts);

/** One line of progress on standard error; standard output stays for the program itself. */
export function say(line) {
  process.stderr.write(`samsa: ${line}\n`);
}

/** Runs a program to its end; its output goes to standard error. Rejects with what was run and how it ended. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
    child.on('error', (error) => reject(new Error(`${command} could not be started: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${[command, ...args].join(' ')} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/** The Node that runs everything of ours: the machine's own when new enough, else the one from node_modules. */
export function nodeBinary() {
  if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) return process.execPath;
  return at('node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

/** The environment for children: our Node first on PATH, and its compile cache. */
export function childEnvironment() {
  const separator = process.platform === 'win32' ? ';' : ':';
  return { ...process.env, PATH: `${dirname(nodeBinary())}${separator}${process.env.PATH ?? ''}` };
}

function hashOf(paths) {
  const hash = createHash('sha256');
  const visit = (path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (stat.isDirectory()) {
      for (const name of readdirSync(path).toSorted()) {
        if (name !== 'generated' && name !== 'node_modules') visit(join(path, name));
      }
    } else if (!path.endsWith('.test.ts') && !path.endsWith('.md')) {
      hash.update(relative(root, path)).update('\0').update(readFileSync(path)).update('\0');
    }
  };
  for (const path of paths) visit(at(path));
  return hash.digest('hex');
}

/** Runs `work` unless `stampFile` says that it was done for the same inputs. */
async function onceFor(stampFile, inputs, what, work) {
  const wanted = hashOf(inputs);
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return;
  const startedMs = Date.now();
  say(`${what} …`);
  await work();
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, wanted);
  say(`${what}: done in ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
}

export async function installDependencies() {
  // Not `npm ci`: it insists on lock entries for every platform's optional binaries, and a registry may not carry them all.
  await onceFor(at('node_modules', '.samsa-installed'), ['package-lock.json'], 'installing dependencies', () =>
    run(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['install', '--no-save', '--no-fund', '--no-audit', '--loglevel=error'], {
      env: { ...process.env, npm_config_engine_strict: 'false' },
      shell: process.platform === 'win32',
    }),
  );
  if (existsSync(nodeBinary())) return;
  // Newer npm versions may hold install scripts back; this one only unpacks the platform's package.
  say(`Node ${process.versions.node} is too old for Samsa (it needs ${NEEDED_MAJOR}): unpacking one into node_modules …`);
  await run(process.execPath, [at('node_modules', 'node', 'installArchSpecificPackage.js')], { cwd: at('node_modules', 'node') });
  if (!existsSync(nodeBinary())) throw new Error(`no Node ${NEEDED_MAJOR}: ${nodeBinary()} is missing after the installation`);
}

export async function generateCode() {
  await onceFor(
    at('src', 'protocol', 'generated', '.stamp'),
    ['src/protocol/definitions', 'src/protocol/generator'],
    'generating wire codecs',
    () => run(nodeBinary(), [at('src', 'protocol', 'generator', 'main.ts')]),
  );
}

export async function build() {
  const inputs = ['src', 'resources', 'electron.vite.config.ts', 'package.json', 'package-lock.json'];
  await onceFor(at('out', '.stamp'), inputs, 'building', () =>
    run(nodeBinary(), [at('node_modules', 'electron-vite', 'bin', 'electron-vite.js'), 'build', '--logLevel', 'warn'], {
      env: childEnvironment(),
    }),
  );
}
