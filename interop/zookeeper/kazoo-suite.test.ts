/**
 * kazoo's own tests, as Debian ships them, against our server: `kazoo-suite/java` is first on their PATH. Without more, the
 * client's and the connection's tests run (half a minute); SAMSA_KAZOO_SUITE=whole runs all of them (two minutes).
 *
 * Left out are those that fail against one Apache ZooKeeper 3.8 just the same, since they want an ensemble or its
 * settings: reconfig, read-only mode, a list of several servers, SASL (which waits for ever).
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const PYTHON = process.env['SAMSA_KAZOO_PYTHON'] ?? '/usr/bin/python3';
const TESTS = '/usr/lib/python3/dist-packages/kazoo/tests';
const NEEDED = 'pytest, mock, objgraph, kazoo.tests';
const WHOLE = process.env['SAMSA_KAZOO_SUITE'] === 'whole';
const WANT_AN_ENSEMBLE = 'TestReconfig or TestReadOnlyMode or test_update_host_list or test_request_queuing or SASL';

const installed = fs.existsSync(TESTS) && spawnSync(PYTHON, ['-c', `import ${NEEDED}`]).status === 0;
const SKIPPED = `skipped: ${PYTHON} has not all of ${NEEDED} (apt install python3-kazoo python3-pytest python3-mock python3-objgraph, or a venv named by SAMSA_KAZOO_PYTHON)`;

describe('kazoo’s own tests', () => {
  it.skipIf(!installed)(
    installed ? `pass against our server (${WHOLE ? 'all of them' : 'client and connection'})` : SKIPPED,
    { timeout: 900_000 },
    () => {
      const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'samsa-kazoo-'));
      try {
        const shim = fileURLToPath(new URL('kazoo-suite', import.meta.url));
        const files = WHOLE ? [TESTS, `--ignore=${TESTS}/test_sasl.py`] : [`${TESTS}/test_client.py`, `${TESTS}/test_connection.py`];
        const { status, stdout, stderr } = spawnSync(
          PYTHON,
          ['-m', 'pytest', '-q', '--tb=short', '-p', 'no:cacheprovider', ...files, '-k', `not (${WANT_AN_ENSEMBLE})`],
          {
            cwd,
            encoding: 'utf8',
            maxBuffer: 2 ** 26,
            timeout: 890_000,
            env: {
              ...process.env,
              PATH: `${shim}:${process.env['PATH'] ?? ''}`,
              SAMSA_NODE: process.execPath,
              ZOOKEEPER_VERSION: '3.8.0',
              ZOOKEEPER_CLUSTER_SIZE: '1',
              ZOOKEEPER_PATH: '/usr/share/java',
            },
          },
        );
        const summary = stdout.split('\n').filter((line) => /^(FAILED|ERROR)|\d+ passed/.test(line));
        expect(`${status}\n${summary.join('\n')}\n${status === 0 ? '' : stderr.slice(-2000)}`).toMatch(/^0\n\d+ passed/);
      } finally {
        fs.rmSync(cwd, { recursive: true, force: true });
      }
    },
  );
});
