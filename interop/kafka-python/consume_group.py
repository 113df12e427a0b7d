"""Reads a topic as a consumer group, from the beginning to its present end, commits, and leaves.

usage: consume_group.py BOOTSTRAP TOPIC GROUP CHECK_CRCS(0|1)
Each record goes to standard output as: int32 partition, int64 offset, int32 key size, int32 value size, key, value.
"""
import struct
import sys
import time

from kafka import KafkaConsumer, TopicPartition

bootstrap, topic, group, check_crcs = sys.argv[1:]
consumer = KafkaConsumer(
    topic,
    bootstrap_servers=bootstrap.split(','),
    client_id='interop-kafka-python',
    group_id=group,
    auto_offset_reset='earliest',
    enable_auto_commit=False,
    check_crcs=check_crcs == '1',
    fetch_max_wait_ms=100,
    max_poll_records=5000,
    heartbeat_interval_ms=300,
)
deadline = time.monotonic() + 180
while not consumer.assignment():
    if time.monotonic() > deadline:
        sys.exit('no partitions were assigned')
    consumer.poll(timeout_ms=50, max_records=1)
consumer.seek_to_beginning()
ends = consumer.end_offsets([TopicPartition(topic, p) for p in consumer.partitions_for_topic(topic)])
left = {tp for tp, end in ends.items() if end > 0}
out = sys.stdout.buffer
while left:
    if time.monotonic() > deadline:
        sys.exit('not read to the end: %s' % sorted(left))
    for tp, records in consumer.poll(timeout_ms=500).items():
        for record in records:
            key = record.key or b''
            value = record.value or b''
            out.write(struct.pack('>iqii', tp.partition, record.offset, len(key), len(value)) + key + value)
        if records[-1].offset + 1 >= ends[tp]:
            left.discard(tp)
consumer.commit()
out.flush()
consumer.close(autocommit=False)
