"""Takes as much as it can get of one thing, for as long as it lives. Runs inside a dyno."""

import os
import socket
import sys
import time


def processor():
    for _ in range(os.cpu_count() * 4):
        if os.fork() == 0:
            while True:
                pass
    time.sleep(86400)


def processes():
    while True:
        try:
            if os.fork() == 0:
                time.sleep(0.5)
                os._exit(0)
            os.waitpid(-1, os.WNOHANG)
        except OSError:
            pass


def memory():
    """The kernel ends the child at the limit, and the next one begins anew."""
    while True:
        child = os.fork()
        if child == 0:
            hoard = []
            while True:
                hoard.append(bytearray(16 * 1024 ** 2))
        os.waitpid(child, 0)


def disk():
    block = bytes(1024 ** 2)
    while True:
        with open("/app/bomb", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(block)
            except OSError:
                pass


def inodes():
    while True:
        made = 0
        try:
            while True:
                os.close(os.open(f"/app/{made}", os.O_CREAT | os.O_WRONLY))
                made += 1
        except OSError:
            pass
        for name in range(made):
            os.unlink(f"/app/{name}")


def log():
    lines = (b"x" * 99 + b"\n") * 600
    while True:
        os.write(1, lines)


def files():
    while True:
        opened = []
        try:
            while True:
                opened.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            pass
        for descriptor in opened:
            os.close(descriptor)


def connections():
    speaker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    port = 0
    while True:
        port = port % 60000 + 1
        try:
            speaker.sendto(b"x", (os.environ["THERE"], 1024 + port))
        except OSError:
            pass


globals()[sys.argv[1]]()
