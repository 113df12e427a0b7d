/** The server of bench/network/request-rate.ts: sockets, framing, dispatch and a handler that answers at once. Prints its port. */
import { Heartbeat } from '../../src/protocol/generated/heartbeat.ts';
import { Produce } from '../../src/protocol/generated/produce.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { KafkaApis, route } from '../../src/broker/api/kafka-apis.ts';
import { parseKafkaConfig } from '../../src/broker/config/kafka-config.ts';
import { SocketServer } from '../../src/broker/network/socket-server.ts';

const config = parseKafkaConfig({ 'zookeeper.connect': 'unused', 'broker.id': '1', listeners: 'PLAINTEXT://127.0.0.1:0' });
const server = new SocketServer({ config, runtime: createNodeRuntime(silentLogger) });
await server.startup();
const routes = [
  route(Heartbeat, (request) => request.respond({ errorCode: 0 })),
  route(Produce, (request) =>
    request.respond({
      responses: request.body.topicData.map(({ name, partitionData }) => ({
        name,
        partitionResponses: partitionData.map(({ index }) => ({ index, errorCode: 0, baseOffset: 0 })),
      })),
    }),
  ),
];
server.enableRequestProcessing(new KafkaApis({ routes, logger: silentLogger }));
process.stdout.write(`${server.boundPort('PLAINTEXT')}\n`);
process.on('SIGTERM', () => void server.shutdown().then(() => process.exit(0)));
