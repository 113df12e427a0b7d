"""Drives a server with kazoo: python3 kazoo_check.py PORT. Exits with 0 when everything was as kazoo expects."""
import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import BadVersionError, NoNodeError, NodeExistsError, RuntimeInconsistency
from kazoo.recipe.election import Election
from kazoo.recipe.lock import Lock
from kazoo.security import make_digest_acl

hosts = "127.0.0.1:%s" % sys.argv[1]


def client(**kwargs):
    made = KazooClient(hosts=hosts, timeout=5.0, **kwargs)
    made.start(timeout=60)
    return made


def expect(error, call, *arguments, **kwargs):
    try:
        call(*arguments, **kwargs)
    except error:
        return
    raise AssertionError("%r expected of %r" % (error, call))


zk = client()
other = client()
zk.ensure_path("/k/one/two")
path, stat = zk.create("/k/s-", b"x", ephemeral=True, sequence=True, include_data=True)
assert path == "/k/s-0000000001" and stat.ephemeralOwner == zk.client_id[0], (path, stat)
expect(NodeExistsError, zk.create, "/k")
expect(NoNodeError, zk.get, "/none")
expect(BadVersionError, zk.set, "/k", b"", version=7)
assert zk.set("/k", b"data").version == 1
assert other.get("/k")[0] == b"data"
assert sorted(zk.get_children("/k")) == ["one", "s-0000000001"]

seen = threading.Event()
zk.get("/k/one", watch=lambda event: seen.set())
other.set("/k/one", b"changed")
assert seen.wait(60)

transaction = zk.transaction()
transaction.check("/k", 1)
transaction.create("/k/t", b"t")
transaction.set_data("/k", b"in a transaction")
transaction.delete("/k/one/two")
assert transaction.commit()[0] is True
failing = zk.transaction()
failing.create("/k/never")
failing.check("/k", 0)
result = failing.commit()
assert isinstance(result[1], BadVersionError) and zk.exists("/k/never") is None, result
after = zk.transaction()
after.check("/k", 0)
after.create("/k/never")
assert isinstance(after.commit()[1], RuntimeInconsistency)

lock = Lock(zk, "/k/lock")
held = Lock(other, "/k/lock")
assert lock.acquire(timeout=60) and not held.acquire(blocking=False)
lock.release()
assert held.acquire(timeout=60)
held.release()
elected = []
Election(zk, "/k/election").run(lambda: elected.append(True))
assert elected

zk.add_auth("digest", "user:password")
zk.create("/k/secret", b"s", acl=[make_digest_acl("user", "password", all=True)])
expect(Exception, other.get, "/k/secret")
other.add_auth("digest", "user:password")
assert other.get("/k/secret")[0] == b"s"

assert zk.server_version()[0] == 3
assert zk.command(b"ruok") == "imok"
assert "zk_server_state\tstandalone" in zk.command(b"mntr")
zk.delete("/k", recursive=True)
for made in (zk, other):
    made.stop()
    made.close()
print("kazoo is content")
