/**
 * Apache Kafka 3.9 brokers in ZooKeeper mode, Apache ZooKeeper, and Kafka's tools, on the loopback. Their JVMs are small and compile little:
 * tests want a quick start, not speed (bench has its own flags).
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { silentLogger } from '../../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../../src/runtime/node/node-runtime.ts';
import { connectZooKeeper, ZooKeeperError } from '../../../src/zk-client/zookeeper-client.ts';
import { until } from '../expectations.ts';
import { runTool } from '../run-tool.ts';
import type { ToolResult } from '../run-tool.ts';
import { APACHE_KAFKA_CLASS_PATH, classArchivePath } from './jars.ts';
import { JavaProcess, writeProperties } from './java.ts';

const START_MS = 180_000;
// Without the JVM's own warnings, one of which is that a class archive is of other jars.
const JVM_FLAGS = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.awt.headless=true', '-Xlog:disable'];
const LOG4J = `log4j.rootLogger=INFO, stdout
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
log4j.appender.stdout.layout.ConversionPattern=[%d] %p %m (%c)%n
`;

export interface ApacheBrokerOptions {
  /** Where its properties and output go; not its log dir. */
  readonly folder: string;
  readonly brokerId: number;
  readonly port: number;
  readonly zookeeperConnect: string;
  readonly logDir: string;
  readonly properties?: Readonly<Record<string, string>>;
  /** A file that somebody else wrote, instead of all the above but `folder`, `brokerId` and `port`. */
  readonly propertiesFile?: string;
  /** Instead of those that map the class archive. */
  readonly jvmFlags?: readonly string[];
}

/** An Apache Kafka broker that can be stopped, killed and started again on the same folder. */
export class ApacheBroker {
  readonly #options: ApacheBrokerOptions;
  #process: JavaProcess | undefined;

  constructor(options: ApacheBrokerOptions) {
    this.#options = options;
  }

  get id(): number {
    return this.#options.brokerId;
  }

  get logDir(): string {
    return this.#options.logDir;
  }

  get address(): string {
    return `localhost:${this.#options.port}`;
  }

  /** What it has printed, in all of its lives. */
  output(): string {
    return this.#process?.output() ?? '';
  }

  /** Resolves when it says that it has started; rejects with its output when it ends before. */
  async start(): Promise<void> {
    const { folder, brokerId } = this.#options;
    const name = `apache-broker-${brokerId}`;
    mkdirSync(folder, { recursive: true });
    const path = this.#options.propertiesFile ?? this.#writeProperties(join(folder, `${name}.properties`));
    const server = launch(folder, name, ['kafka.Kafka', path], this.#options.jvmFlags);
    this.#process = server;
    const before = server.output().length;
    await until(
      `${name} has started`,
      () => server.hasEnded || server.output().includes('started (kafka.server.KafkaServer)', before),
      START_MS,
    );
    if (server.hasEnded) throw new Error(`${name} ended:\n${server.output().slice(-6_000)}`);
  }

  #writeProperties(path: string): string {
    const { brokerId, port, zookeeperConnect, logDir, properties = {} } = this.#options;
    writeProperties(path, {
      'broker.id': String(brokerId),
      listeners: `PLAINTEXT://localhost:${port}`,
      'log.dirs': logDir,
      'zookeeper.connect': zookeeperConnect,
      'group.initial.rebalance.delay.ms': '0',
      // Of both servers' longest: a busy machine holds up a JVM that starts.
      'zookeeper.session.timeout.ms': '30000',
      'controlled.shutdown.retry.backoff.ms': '200',
      ...properties,
    });
    return path;
  }

  /** In order: with a controlled shutdown and a clean-shutdown mark. */
  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /**
   * Kills it and takes away what it had in ZooKeeper for the time of its session, as our supervisor does for brokers of ours: the others hear of it at
   * once, and its session may be long enough for a busy machine.
   */
  async killAndForget(): Promise<void> {
    await this.kill();
    const { zookeeperConnect, brokerId } = this.#options;
    const runtime = createNodeRuntime(silentLogger);
    const client = await connectZooKeeper({
      connectString: zookeeperConnect,
      sessionTimeoutMs: 10_000,
      connectTimeoutMs: START_MS,
      runtime,
      implementation: 'own',
    });
    const remove = (path: string): Promise<void> => client.delete(path, -1).catch(unlessThereIsNone);
    try {
      const controller = await client.getData('/controller').catch(unlessThereIsNone);
      await remove(`/brokers/ids/${brokerId}`);
      if (controller !== undefined && (JSON.parse(controller.data.toString()) as { brokerid: number }).brokerid === brokerId)
        await remove('/controller');
    } finally {
      await client.close();
    }
  }
}

function unlessThereIsNone(error: unknown): undefined {
  if (error instanceof ZooKeeperError && error.name === 'NoNode') return undefined;
  throw error;
}

export interface ApacheZooKeeperOptions {
  readonly folder: string;
  readonly dataDir: string;
  readonly port: number;
  readonly properties?: Readonly<Record<string, string>>;
  /** A file that somebody else wrote, instead of `dataDir` and `properties`. */
  readonly propertiesFile?: string;
}

/** The Apache ZooKeeper that comes with Kafka 3.9. */
export async function startApacheZooKeeper(options: ApacheZooKeeperOptions): Promise<JavaProcess> {
  const { folder, dataDir, port, properties = {} } = options;
  const name = `apache-zookeeper-${port}`;
  const path = options.propertiesFile ?? join(folder, `${name}.properties`);
  mkdirSync(folder, { recursive: true });
  if (options.propertiesFile === undefined) {
    writeProperties(path, {
      dataDir,
      clientPort: String(port),
      clientPortAddress: '127.0.0.1',
      tickTime: '500',
      maxSessionTimeout: '60000',
      'admin.enableServer': 'false',
      maxClientCnxns: '0',
      ...properties,
    });
  }
  const server = launch(folder, name, ['org.apache.zookeeper.server.ZooKeeperServerMain', path]);
  await until('Apache ZooKeeper accepts', () => accepts(port, server), START_MS);
  return server;
}

/** One of Kafka's tools to its end; what it printed. Rejects when it ends with another code than 0. */
export async function runKafkaTool(
  mainClass: string,
  args: readonly string[],
  options: { input?: string; timeoutMs?: number; allowFailure?: boolean } = {},
): Promise<string> {
  return (await runKafka(mainClass, args, options)).out.toString();
}

/** As `runKafkaTool`, with both of what it printed. */
export function runKafka(
  mainClass: string,
  args: readonly string[],
  options: { input?: string; timeoutMs?: number; allowFailure?: boolean } = {},
): Promise<ToolResult> {
  return runTool('java', [...JVM_FLAGS, ...archiveFlags(), '-cp', APACHE_KAFKA_CLASS_PATH, mainClass, ...args], options);
}

const archiveFlags = (): readonly string[] => (existsSync(classArchivePath()) ? [`-XX:SharedArchiveFile=${classArchivePath()}`] : []);

function launch(folder: string, name: string, args: readonly string[], jvmFlags = archiveFlags()): JavaProcess {
  const log4j = join(folder, 'log4j.properties');
  writeFileSync(log4j, LOG4J);
  return new JavaProcess(
    [
      ...JVM_FLAGS,
      ...jvmFlags,
      `-Dlog4j.configuration=file:${log4j}`,
      '-Dzookeeper.4lw.commands.whitelist=*',
      '-cp',
      APACHE_KAFKA_CLASS_PATH,
      ...args,
    ],
    join(folder, `${name}.log`),
  );
}

function accepts(port: number, server: JavaProcess): Promise<boolean> {
  if (server.hasEnded) throw new Error(`Apache ZooKeeper ended:\n${server.output().slice(-6_000)}`);
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
