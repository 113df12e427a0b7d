/**
 * Apache Kafka 3.9's jars (broker, tools, Apache ZooKeeper 3.8), got once by Maven into ~/.cache/samsa/apache-kafka-3.9.0.
 * Where there is no Java, no Maven or no network, `whyNoApacheKafka` says why, in one line; a failed download isn't tried again for
 * ten minutes, so that each of a run's files doesn't wait for it anew.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export const KAFKA_VERSION = '3.9.0';

const DOWNLOAD_MS = 240_000;
const CONNECT_MS = 5_000;
const TRY_AGAIN_MS = 600_000;
const cache = join(homedir(), '.cache', 'samsa', `apache-kafka-${KAFKA_VERSION}`);
const lib = join(cache, 'lib');
const failure = join(cache, 'download-failed');
const lock = join(cache, 'downloading');

/** For `java -cp`, once `whyNoApacheKafka` gives no reason. */
export const APACHE_KAFKA_CLASS_PATH = join(lib, '*');

const POM = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>samsa</groupId><artifactId>apache-kafka</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>${KAFKA_VERSION}</version></dependency>
  </dependencies>
</project>
`;

let archive: string | undefined;

/**
 * Kafka's classes as `class-archive.ts` has written them for this Java; a JVM that maps them starts with half the work. The JVM itself looks whether
 * the file fits its classes, and does without if not.
 */
export function classArchivePath(): string {
  const { stderr } = archive === undefined ? spawnSync('java', ['-version'], { encoding: 'utf8' }) : { stderr: '' };
  return (archive ??= join(cache, `classes-${createHash('sha256').update(stderr).digest('hex').slice(0, 12)}.jsa`));
}

/** Gets the jars when they aren't there; undefined when all is well, else why Apache Kafka can't be had. */
export function whyNoApacheKafka(): string | undefined {
  if (spawnSync('java', ['-version']).status !== 0) return 'there is no java';
  if (existsSync(lib)) return undefined;
  if (existsSync(failure) && Date.now() - statSync(failure).mtimeMs < TRY_AGAIN_MS) return 'Maven could not get its jars some minutes ago';
  if (spawnSync('mvn', ['-version']).status !== 0) return 'there is no Maven to get its jars with';
  mkdirSync(cache, { recursive: true });
  if (!tryLock()) return waitForOther();
  try {
    return download();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

/** Test files run beside each other: one of them downloads. A lock that is older than a download may take is of one that was killed. */
function tryLock(): boolean {
  const takenMs = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
  if (takenMs !== undefined && Date.now() - takenMs > DOWNLOAD_MS) rmSync(lock, { recursive: true, force: true });
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function waitForOther(): string | undefined {
  const untilMs = Date.now() + DOWNLOAD_MS;
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  while (existsSync(lock) && Date.now() < untilMs) Atomics.wait(sleeper, 0, 0, 100);
  return existsSync(lib) ? undefined : 'another process could not get its jars';
}

/** Into a folder of its own first: it may be killed in the middle. */
function download(): string | undefined {
  const folder = join(cache, `download-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'pom.xml'), POM);
  const args = [
    '-q',
    '-B',
    `-Dmaven.wagon.http.connectionTimeout=${CONNECT_MS}`,
    `-Daether.connector.connectTimeout=${CONNECT_MS}`,
    'dependency:copy-dependencies',
    `-DoutputDirectory=${join(folder, 'lib')}`,
  ];
  const outcome = spawnSync('mvn', args, { cwd: folder, timeout: DOWNLOAD_MS, encoding: 'utf8' });
  try {
    if (outcome.status !== 0) {
      writeFileSync(failure, '');
      return `Maven could not get its jars: ${outcome.stdout?.split('\n').find((line) => line.includes('ERROR')) ?? 'no answer in time'}`;
    }
    if (!existsSync(lib)) renameSync(join(folder, 'lib'), lib);
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
