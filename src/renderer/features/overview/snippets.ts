/** What one pastes to connect: the shortest thing that works with each client, for the cluster's own address. */
export interface Snippet {
  readonly key: 'kcat' | 'kafkajs' | 'python' | 'java';
  readonly title: string;
  readonly text: string;
}

export function connectionSnippets(bootstrapServers: string): readonly Snippet[] {
  const servers = bootstrapServers.split(',').map((server) => server.trim());
  const list = servers.map((server) => `'${server}'`).join(', ');
  const joined = servers.join(',');
  // One is enough to find the others, and lines stay short.
  const first = servers[0] ?? '';
  return [
    {
      key: 'kcat',
      title: 'kcat',
      text: [
        `kcat -b ${first} -L`,
        `echo hello | kcat -b ${first} -t my-topic -P`,
        `kcat -b ${first} -t my-topic -C -o beginning -e`,
        `kcat -b ${first} -G my-group my-topic`,
      ].join('\n'),
    },
    {
      key: 'kafkajs',
      title: 'KafkaJS',
      text: `import { Kafka } from 'kafkajs';

const kafka = new Kafka({ clientId: 'my-app', brokers: [${list}] });

const producer = kafka.producer({ idempotent: true });
await producer.connect();
await producer.send({ topic: 'my-topic', messages: [{ key: 'k', value: 'hello' }] });

const consumer = kafka.consumer({ groupId: 'my-group' });
await consumer.connect();
await consumer.subscribe({ topic: 'my-topic', fromBeginning: true });
await consumer.run({ eachMessage: async ({ message }) => console.log(String(message.value)) });`,
    },
    {
      key: 'python',
      title: 'Python',
      text: `from kafka import KafkaConsumer, KafkaProducer

servers = [${list}]

producer = KafkaProducer(bootstrap_servers=servers, acks="all")
producer.send("my-topic", key=b"k", value=b"hello")
producer.flush()

consumer = KafkaConsumer("my-topic", bootstrap_servers=servers, group_id="my-group", auto_offset_reset="earliest")
for message in consumer:
    print(message.partition, message.offset, message.value)`,
    },
    {
      key: 'java',
      title: 'Java',
      text: `var props = new Properties();
props.put("bootstrap.servers", "${joined}");
props.put("key.serializer", StringSerializer.class.getName());
props.put("value.serializer", StringSerializer.class.getName());
props.put("acks", "all");

try (var producer = new KafkaProducer<String, String>(props)) {
  producer.send(new ProducerRecord<>("my-topic", "k", "hello")).get();
}`,
    },
  ];
}
