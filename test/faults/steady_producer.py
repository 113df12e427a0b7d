"""Writes name-0, name-1, … to one partition at a steady rate with an idempotent acks=all producer (librdkafka), until its standard input ends.

Says on standard output `sent N`, and `acked N` or `failed N REASON` for each; `refused REASON` for each Produce request that was answered with an
error, or not at all; `gave-up CODE REASON` when it had to begin anew. Unlike kcat it goes on when all brokers are down.
usage: steady_producer.py BOOTSTRAP TOPIC PARTITION NAME EVERY_MS [key=value …]
"""
import logging
import sys
import threading
import time

from confluent_kafka import KafkaException, Producer


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Refusals(logging.Handler):
    """Of what librdkafka logs, the errors of Produce requests: it deals with most itself, and tells its application of none of those."""

    def emit(self, record):
        message = record.getMessage()
        at = message.find("MessageSet with")
        if "encountered error" in message:
            say(f"refused {message[at:]}")


bootstrap, topic, partition, name, every_ms, *settings = sys.argv[1:]
fatal_error = None


def on_error(error):
    global fatal_error
    if error.fatal():
        fatal_error = error
    say(f"error {error.name()} {error.str()}")


config = {
    "bootstrap.servers": bootstrap,
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 1,
    "error_cb": on_error,
    "debug": "msg",
    "logger": logging.Logger("librdkafka", logging.DEBUG),
    **dict(setting.split("=", 1) for setting in settings),
}
config["logger"].addHandler(Refusals())


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
        # An idempotent producer that can't tell what is in the log any more gives up for good: an application makes a new one. What was
        # under way is reported as failed.
        producer.purge()
        producer.poll(0)
        cause = fatal_error or error.args[0]
        say(f"gave-up {cause.name()} {cause.str()}")
        fatal_error = None
        producer = Producer(config)
        count += 1
producer.flush()
