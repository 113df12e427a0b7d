/**
 * `npm start`: set-up, then the app. In Electron where a runtime is to be had; else the same console in the browser
 * host, said in one line. Signals go to the child, which stops the cluster in order; this process ends with it.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { watchAncestors } from './ancestors.mjs';
import { findElectron } from './electron-runtime.mjs';
import { build, childEnvironment, generateCode, installDependencies, nodeBinary, root, say } from './setup.mjs';

const options = process.argv.slice(2);

async function main() {
  await installDependencies();
  await generateCode();
  await build();
  const electron = await findElectron({ retry: options.includes('--fetch-electron') });
  const rest = options.filter((option) => option !== '--fetch-electron');
  if (electron.path) {
    launch(electron.path, [root, ...rest], { ...process.env });
    return;
  }
  say(`opening the console in the browser host: ${electron.reason}`);
  launch(nodeBinary(), [join(root, 'out', 'main', 'cli.js'), 'serve', '--open', ...rest], childEnvironment());
}

function launch(command, args, env) {
  // The channel tells the child when this process is gone, also after SIGKILL.
  // In a process group of its own: Ctrl+C reaches this process alone and is passed on once. Twice would mean: kill it.
  const child = spawn(command, args, {
    cwd: root,
    env,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    detached: process.platform !== 'win32',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // npm killed with SIGKILL tells nobody, and the shell that it runs scripts in lives on: notice that an ancestor has changed. Told once:
  // a second signal kills what is still stopping in order.
  const stopWatching = process.env.npm_lifecycle_event ? watchAncestors(() => child.kill('SIGTERM')) : () => {};
  child.on('error', (error) => {
    say(`${command} could not be started: ${error.message}`);
    process.exitCode = 1;
    stopWatching();
  });
  child.on('close', (code, signal) => {
    stopWatching();
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
    process.removeAllListeners('SIGINT');
  });
}

main().catch((error) => {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
