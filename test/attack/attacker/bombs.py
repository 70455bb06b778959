import errno
import os
import signal
import socket
import sys

from attempts import name_of, row, until_refused


def bombs():
    MiB = 1024 ** 2
    children = []

    def fork(_):
        child = os.fork()
        if child == 0:
            signal.pause()
        children.append(child)
    bomb("fork", 2000, fork, 256, errno.EAGAIN)
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

    opened = []
    bomb("open files", 20_000, lambda _: opened.append(os.open("/dev/null", os.O_RDONLY)), 10_000, errno.EMFILE)
    for descriptor in opened:
        os.close(descriptor)

    terminals = []
    bomb("open terminals", 4096, lambda _: terminals.extend(os.openpty()), 64, errno.ENOSPC)
    for descriptor in terminals:
        os.close(descriptor)

    # Room is taken without writing, so that only what is meant is tried.
    for directory, limit in {"/app": 2048, "/tmp": 512, "/var/tmp": 512, "/dev/shm": 64, "/dev": 1}.items():
        path = f"{directory}/bomb"
        try:
            file = os.open(path, os.O_CREAT | os.O_WRONLY)
        except OSError as error:
            # What is no room of its own it may not begin to fill.
            row("bomb", f"fill {directory}", f"at most {limit} MiB", name_of(error.errno),
                directory == "/dev" and error.errno == errno.EACCES)
            continue
        bomb(f"fill {directory}, by MiB", 4096, lambda at, it=file: os.posix_fallocate(it, at * MiB, MiB), limit, errno.ENOSPC)
        os.close(file)
        os.unlink(path)


def bomb(attempt, most, act, limit, by):
    """`by`: the error that ends it."""
    done, error = until_refused(act, most)
    row("bomb", attempt, f"at most {limit}", f"{done}, then {error}",
        done <= limit and error == name_of(by))


def fill_disk():
    """Its disk, really: every byte of it, and every file. What it wrote stays until its end."""
    MiB = 1024 ** 2
    block = bytes(MiB)
    row("bomb", "make a hole of a terabyte in /app", "it takes nothing", *hole("/app/hole"))
    with open("/app/bytes", "wb", buffering=0) as file:
        # Most of it is taken without being written, which would only take longer.
        free = os.statvfs("/app")
        taken = free.f_bavail * free.f_bsize // MiB - 128
        os.posix_fallocate(file.fileno(), 0, taken * MiB)
        file.seek(taken * MiB)
        bomb("write to /app, by MiB", 4096, lambda _: whole(file.write(block), MiB), 2048 - taken, errno.ENOSPC)
    with open("/app/hole", "r+b", buffering=0) as file:
        file.seek(2 ** 39)
        bomb("write into the hole, by MiB", 4096, lambda _: whole(file.write(block), MiB), 0, errno.ENOSPC)
    os.truncate("/app/bytes", 0)
    for directory, files in {"/app": 131_072, "/tmp": 131_072, "/var/tmp": 131_072, "/dev/shm": 16_384}.items():
        bomb(f"make files in {directory}", 200_000, lambda n: os.mknod(f"{directory}/{n}"), files, errno.ENOSPC)


def whole(written, wanted):
    if written != wanted:
        raise OSError(errno.ENOSPC, "only a part was written")


def hole(path):
    with open(path, "wb") as file:
        file.truncate(2 ** 40)
    blocks = os.stat(path).st_blocks
    return f"it takes {blocks or 'nothing'}", blocks == 0


def hold_in_sockets():
    """Sends to itself what it never reads."""
    MiB = 1024 ** 2
    door = socket.create_server(("127.0.0.1", 0))
    ends, sent = [], 0
    for _ in range(40):
        ends += [socket.create_connection(door.getsockname()), door.accept()[0]]
        ends[-2].setblocking(False)
        done, _ = until_refused(lambda _: whole(ends[-2].send(bytes(MiB // 16)), MiB // 16), 1000)
        sent += done
    row("bomb", "hold in TCP, by MiB", "at most 48", f"{sent // 16}", sent // 16 <= 48)


def spin(each=1):
    """Takes all the processor it can get, by so many processes for each, until it is ended."""
    for _ in range(each * os.cpu_count()):
        if os.fork() == 0:
            while True:
                pass
    signal.pause()


def log_bomb():
    line = "x" * 999 + "\n"
    for _ in range(100_000):
        sys.stdout.write(line)


def memory_bomb():
    hoard = []
    while True:
        hoard.append(bytearray(16 * 1024 ** 2))
