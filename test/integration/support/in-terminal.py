"""Runs a command in a terminal of its own, waits for a line, sends Ctrl+C, and tells what was printed.

in-terminal.py WAIT_FOR COMMAND [ARGUMENT ...]
"""
import os
import pty
import select
import sys
import time

LIMIT_S = 120

wait_for = sys.argv[1].encode()
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
printed = b''
sent = False
deadline = time.monotonic() + LIMIT_S
while time.monotonic() < deadline:
    ready, _, _ = select.select([terminal], [], [], 0.5)
    if ready:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        if not data:
            break
        printed += data
    if not sent and wait_for in printed:
        os.write(terminal, b'\x03')
        sent = True
os.waitpid(pid, 0)
sys.stdout.write(printed.decode(errors='replace'))
sys.exit(0 if sent else 1)
