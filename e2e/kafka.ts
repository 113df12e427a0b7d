/** Clients that others wrote, as a test uses them: kcat to produce, a KafkaJS group to consume. */
import { spawn } from 'node:child_process';
import { Kafka, logLevel } from 'kafkajs';

/** Produces `lines` (`key:value`) with kcat, acks=all. */
export function produceWithKcat(bootstrapServers: string, topic: string, lines: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('kcat', ['-P', '-b', bootstrapServers, '-t', topic, '-K', ':', '-X', 'acks=all'], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`kcat ended with ${code}: ${errors}`))));
    child.stdin.end(lines.join('\n'));
  });
}

/** KafkaJS that waits for a busy machine: it takes a second for a connection by itself, and gives up after five tries. */
export function kafkaJs(bootstrapServers: string): Kafka {
  return new Kafka({
    clientId: 'samsa-e2e',
    brokers: bootstrapServers.split(','),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 30_000,
    requestTimeout: 60_000,
    retry: { retries: 30, maxRetryTime: 2_000 },
  });
}

export interface RunningGroup {
  /** Values received so far. */
  readonly received: string[];
  stop(): Promise<void>;
}

/** One member that reads `topic` from its beginning and commits after each message. */
export async function startGroup(bootstrapServers: string, groupId: string, topic: string): Promise<RunningGroup> {
  const kafka = kafkaJs(bootstrapServers);
  // It leaves once its last fetch has been answered, which waits for records as long as this.
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  const received: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommitThreshold: 1,
    eachMessage: async ({ message }) => {
      received.push(message.value?.toString() ?? '');
      await Promise.resolve();
    },
  });
  return { received, stop: () => consumer.disconnect() };
}
