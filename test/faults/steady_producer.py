"""Writes name-0, name-1, … to one partition at a steady rate with an idempotent acks=all producer (librdkafka), until its standard input ends.

Says on standard output `sent N`, and `acked N` or `failed N REASON` for each; unlike kcat it goes on when all brokers are down.
usage: steady_producer.py BOOTSTRAP TOPIC PARTITION NAME EVERY_MS [key=value …]
"""
import sys
import threading
import time

from confluent_kafka import Producer

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
producer = Producer(config)
count = 0
next_at = time.monotonic()
while not ended.is_set():
    number = count
    count += 1

    def delivered(error, _message, number=number):
        say(f"acked {number}" if error is None else f"failed {number} {error}")

    say(f"sent {number}")
    producer.produce(topic, f"{name}-{number}".encode(), partition=int(partition), on_delivery=delivered)
    next_at += int(every_ms) / 1000
    while True:
        producer.poll(max(0.0, min(0.05, next_at - time.monotonic())))
        if ended.is_set() or time.monotonic() >= next_at:
            break
producer.flush()
