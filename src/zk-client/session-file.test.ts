import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeDisk } from '../runtime/node/node-disk.ts';
import { readSessionFile, removeSessionFile, writeSessionFile } from './session-file.ts';

describe('a session file', () => {
  let folder: string;
  let file: string;
  const session = { id: Buffer.from('010000247e3e0000', 'hex'), password: Buffer.alloc(16, 0xab) };
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'samsa-session-'));
    file = path.join(folder, 'zookeeper-session.json');
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('gives back the session, and nobody else may read it', () => {
    writeSessionFile(nodeDisk, file, session);
    expect(readSessionFile(nodeDisk, file)).toEqual(session);
    if (process.platform !== 'win32') expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    writeSessionFile(nodeDisk, file, { ...session, password: Buffer.alloc(16, 1) });
    expect(readSessionFile(nodeDisk, file)?.password).toEqual(Buffer.alloc(16, 1));
    expect(fs.readdirSync(folder)).toEqual(['zookeeper-session.json']);
  });

  it('holds no session when it is missing, removed, torn or another file', () => {
    expect(readSessionFile(nodeDisk, file)).toBeUndefined();
    writeSessionFile(nodeDisk, file, session);
    removeSessionFile(nodeDisk, file);
    removeSessionFile(nodeDisk, file);
    expect(readSessionFile(nodeDisk, file)).toBeUndefined();
    for (const content of ['', '{"id":', 'null', '[]', '{"id":"0100","password":"00"}', '{"id":1,"password":2}']) {
      fs.writeFileSync(file, content);
      expect(readSessionFile(nodeDisk, file)).toBeUndefined();
    }
  });
});
