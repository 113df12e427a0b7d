"""Writes name-0, name-1, … to one partition at a steady rate with an idempotent acks=all producer (librdkafka), until its standard input ends.

Says on standard output `sent N`, and `acked N` or `failed N REASON` for each, and `gave-up REASON` when it had to begin anew; unlike kcat it
goes on when all brokers are down.
usage: steady_producer.py BOOTSTRAP TOPIC PARTITION NAME EVERY_MS [key=value …]
"""
import sys
import threading
import time

from confluent_kafka import KafkaException, Producer

def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


bootstrap, topic, partition, name, every_ms, *settings = sys.argv[1:]
config = {
    "bootstrap.servers": bootstrap,
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 1,
    "error_cb": lambda error: say(f"error {error}"),
    **dict(setting.split("=", 1) for setting in settings),
}


ended = threading.Event()


def wait_for_end():
    sys.stdin.read()
    ended.set()


threading.Thread(target=wait_for_end, daemon=True).start()


def delivery_of(number):
    def delivered(error, _message):
        say(f"acked {number}" if error is None else f"failed {number} {error}")

    return delivered


producer = Producer(config)
count = 0
next_at = time.monotonic()
while not ended.is_set():
    try:
        say(f"sent {count}")
        producer.produce(topic, f"{name}-{count}".encode(), partition=int(partition), on_delivery=delivery_of(count))
        count += 1
        next_at += int(every_ms) / 1000
        while not ended.is_set():
            producer.poll(max(0.0, min(0.05, next_at - time.monotonic())))
            if time.monotonic() >= next_at:
                break
    except KafkaException as error:
        # librdkafka 2.0 gives up when a request is refused and one behind it, sent before the answer, is then out of order: an application
        # makes a new producer. What was under way is reported as failed.
        say(f"gave-up {error}")
        producer.purge()
        producer.poll(0)
        producer = Producer(config)
        count += 1
producer.flush()
