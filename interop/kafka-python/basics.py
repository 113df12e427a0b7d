"""What one tries first with kafka-python. Prints one JSON object a line: {"step": …, "result": …}; a step that fails has "error".

usage: basics.py BOOTSTRAP
"""
import json
import sys
import threading
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic
from kafka.errors import TopicAlreadyExistsError

BOOTSTRAP = sys.argv[1].split(',')
# Nothing here is about speed: a busy machine may take its time.
PATIENCE_S = 60
admin = KafkaAdminClient(bootstrap_servers=BOOTSTRAP)


def step(name):
    def run(function):
        try:
            print(json.dumps({'step': name, 'result': function()}), flush=True)
        except Exception as error:  # the test shows what it was
            print(json.dumps({'step': name, 'error': '%s: %s' % (type(error).__name__, error)}), flush=True)

    return run


def wait_for(condition, what, progress=str):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError('not in time: %s (%s)' % (what, progress()))
        time.sleep(0.02)


def create(topic, partitions=1, replicas=3, **configs):
    admin.create_topics([NewTopic(topic, partitions, replicas, topic_configs=configs)])
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        described = admin.describe_topics([topic])[0]
        if described['error_code'] == 0 and len(described['partitions']) == partitions and all(p['leader'] >= 0 for p in described['partitions']):
            return described
        time.sleep(0.02)
    raise RuntimeError('%s has no leaders' % topic)


def consumer(*topics, **settings):
    defaults = dict(bootstrap_servers=BOOTSTRAP, auto_offset_reset='earliest', fetch_max_wait_ms=100, heartbeat_interval_ms=200, session_timeout_ms=30000)
    return KafkaConsumer(*topics, **{**defaults, **settings})


@step('version')
def _():
    """Inferred from the ranges of ApiVersions."""
    client = admin._client
    return list(client.config['api_version'])


@step('cluster')
def _():
    described = admin.describe_cluster()
    return {'brokers': sorted(b['node_id'] for b in described['brokers']), 'controller': described['controller_id'], 'cluster': described['cluster_id']}


@step('topics')
def _():
    described = create('py-topic', 3, 2, **{'retention.ms': '60000'})
    try:
        admin.create_topics([NewTopic('py-topic', 1, 1)])
        again = 'created twice'
    except TopicAlreadyExistsError:
        again = 'exists'
    admin.create_partitions({'py-topic': NewPartitions(5)})
    wait_for(lambda: len(admin.describe_topics(['py-topic'])[0]['partitions']) == 5, 'five partitions')
    entries = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, 'py-topic')])[0].resources[0][4]
    retention = [entry[1] for entry in entries if entry[0] == 'retention.ms']
    admin.delete_topics(['py-topic'])
    wait_for(lambda: 'py-topic' not in admin.list_topics(), 'the topic is gone')
    return {
        'replicas': [len(p['replicas']) for p in described['partitions']],
        'again': again,
        'grown': 5,
        'retention': retention,
        'gone': 'py-topic' not in admin.list_topics(),
    }


for codec in (None, 'gzip', 'snappy', 'lz4', 'zstd'):
    for acks in (0, 1, 'all') if codec is None else ('all',):

        @step('produce acks=%s %s' % (acks, codec))
        def _():
            topic = 'py-%s-%s' % (codec, acks)
            create(topic)
            producer = KafkaProducer(bootstrap_servers=BOOTSTRAP, acks=acks, compression_type=codec, linger_ms=5)
            futures = [producer.send(topic, key=b'k%d' % i, value=b'v%d' % i * 20, headers=[('h', b'x')]) for i in range(300)]
            producer.flush()
            offsets = [future.get(PATIENCE_S).offset for future in futures]
            producer.close()
            reader = consumer(topic, group_id=None)
            read = []
            deadline = time.monotonic() + PATIENCE_S
            while len(read) < 300 and time.monotonic() < deadline:
                for records in reader.poll(timeout_ms=200).values():
                    read.extend(records)
            reader.close()
            same = [(r.key, r.value, r.headers) for r in read] == [(b'k%d' % i, b'v%d' % i * 20, [('h', b'x')]) for i in range(300)]
            return {'same': same, 'acknowledged': acks == 0 or offsets == list(range(300))}


@step('offsets')
def _():
    create('py-offsets')
    producer = KafkaProducer(bootstrap_servers=BOOTSTRAP, acks='all')
    for timestamp in (1000, 2000, 3000):
        producer.send('py-offsets', b'x', timestamp_ms=timestamp).get(PATIENCE_S)
    producer.close()
    reader = consumer()
    partition = TopicPartition('py-offsets', 0)
    found = reader.offsets_for_times({partition: 1500})[partition]
    result = {'begin': reader.beginning_offsets([partition])[partition], 'end': reader.end_offsets([partition])[partition], 'at 1500': [found.offset, found.timestamp]}
    reader.close()
    return result


@step('group')
def _():
    """Two members share six partitions; one leaves; nothing is lost, everything is committed."""
    create('py-group', 6)
    stop = [threading.Event(), threading.Event()]
    assigned = [0, 0]
    read = [0, 0]

    def member(index):
        reader = consumer('py-group', group_id='py-group', enable_auto_commit=True, auto_commit_interval_ms=100)
        while not stop[index].is_set():
            for records in reader.poll(timeout_ms=100).values():
                read[index] += len(records)
            assigned[index] = len(reader.assignment())
        reader.close()
        assigned[index] = 0

    threads = [threading.Thread(target=member, args=(index,), daemon=True) for index in (0, 1)]
    threads[0].start()
    def progress():
        return '%s, %s' % (assigned, read)

    wait_for(lambda: assigned[0] == 6, 'the first has all', progress)
    threads[1].start()
    wait_for(lambda: assigned == [3, 3], 'each has half', progress)
    described = admin.describe_consumer_groups(['py-group'])[0]
    producer = KafkaProducer(bootstrap_servers=BOOTSTRAP, acks='all')
    for i in range(600):
        producer.send('py-group', b'v', key=b'k%d' % i)
    producer.flush()
    wait_for(lambda: sum(read) >= 600, 'all is read', progress)
    stop[1].set()
    wait_for(lambda: assigned[0] == 6, 'the first has all again', progress)
    stop[0].set()
    for thread in threads:
        thread.join(PATIENCE_S)
    offsets = admin.list_consumer_group_offsets('py-group')
    listed = ('py-group', 'consumer') in admin.list_consumer_groups()
    deleted = [error.__name__ for _, error in admin.delete_consumer_groups(['py-group'])]
    return {
        'state': described.state,
        'members': len(described.members),
        'committed': sum(offset.offset for offset in offsets.values()),
        'read': sum(read),
        'listed': listed,
        'deleted': deleted,
    }


@step('seek and manual commits')
def _():
    partition = TopicPartition('py-None-all', 0)
    reader = consumer(group_id='py-manual', enable_auto_commit=False)
    reader.assign([partition])
    reader.seek(partition, 290)
    read = []
    while len(read) < 10:
        for records in reader.poll(timeout_ms=200).values():
            read.extend(records)
    reader.commit()
    committed = reader.committed(partition)
    reader.close()
    return {'offsets': [r.offset for r in read], 'committed': committed}


admin.close()
