"""Runs inside a dyno and tries what no dyno may.

Each attempt is a row, one JSON object a line: what was tried, what must come of it, what
did. It is told about its surroundings by environment variables, as JSON:
TARGETS: [{"name", "host", "port", "reachable"}]; FILES: [host paths that must not be seen];
QUESTIONS: [{"what", "server", "by", "name", "type", "class", "expected"}], expected: records, none, or nobody.
"""

import ctypes
import errno
import glob
import json
import os
import resource
import signal
import socket
import stat
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

libc = ctypes.CDLL(None, use_errno=True)
REFUSED = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.ENOENT, errno.EROFS, errno.ENODEV}


def row(group, attempt, expected, result, held):
    print(json.dumps({"group": group, "attempt": attempt, "expected": expected,
                      "result": result, "held": bool(held)}), flush=True)


def name_of(code):
    return errno.errorcode.get(code, str(code)) if code else "it was done"


def said_of(code):
    return "the process was ended" if code is None else name_of(code)


# System calls, by their numbers on x86-64. All but one argument is harmless nonsense: a
# call that is refused is refused whatever its arguments; one that is not, says EFAULT,
# EINVAL or EBADF, and that is a finding.
CALLS = {
    "acct": 163, "add_key": 248, "adjtimex": 159, "bpf": 321, "clock_adjtime": 305,
    "clock_settime": 227, "create_module": 174, "delete_module": 176, "fanotify_init": 300,
    "finit_module": 313, "fsconfig": 431, "fsmount": 432, "fsopen": 430, "fspick": 433,
    "get_kernel_syms": 177, "init_module": 175, "io_uring_enter": 426, "io_uring_register": 427,
    "io_uring_setup": 425, "ioperm": 173, "iopl": 172, "kcmp": 312, "kexec_file_load": 320,
    "kexec_load": 246, "keyctl": 250, "lookup_dcookie": 212, "mount": 165, "mount_setattr": 442,
    "move_mount": 429, "move_pages": 279, "mq_getsetattr": 245, "mq_notify": 244, "mq_open": 240,
    "mq_timedreceive": 243, "mq_timedsend": 242, "mq_unlink": 241, "name_to_handle_at": 303, "nfsservctl": 180,
    "open_by_handle_at": 304, "open_tree": 428, "perf_event_open": 298, "pivot_root": 155,
    "process_madvise": 440, "process_vm_readv": None, "quotactl": 179, "quotactl_fd": 443,
    "query_module": 178, "reboot": 169, "request_key": 249, "setdomainname": 171,
    "sethostname": 170, "setns": 308, "settimeofday": 164, "swapoff": 168, "swapon": 167,
    "sysfs": 139, "syslog": 103, "umount2": 166, "unshare": 272, "uselib": 134,
    "userfaultfd": 323, "ustat": 136, "vhangup": 153, "_sysctl": 156, "mbind": 237,
    "set_mempolicy": 238, "migrate_pages": 256, "personality": None, "chroot": 161,
    "afs_syscall": 183, "getpmsg": 181, "putpmsg": 182, "security": 185, "tuxcall": 184,
    "vserver": 236, "epoll_ctl_old": 214, "epoll_wait_old": 215, "pidfd_getfd": 438,
    "set_mempolicy_home_node": 450, "lsm_set_self_attr": 460, "mseal_of_nothing": None,
    "statmount": 457, "listmount": 458, "fchmodat_of_nothing": None, "clone3": 435,
}


# What a dyno may call, written down apart from the filter that says so (Linux 6.1 on x86-64). Beyond
# it are calls that newer kernels have, and whatever is to come.
ALLOWED = """0-102 104-133 135 137-138 140-152 157-158 160 162 186-211 213 216-226 228-235 247 251-255
257-260 262-271 273-278 280-297 299 302 306-307 309-311 314-319 322 324-334 424 434 436-437 439 441 444-449"""
# They end the caller, wait for ever, return to where nothing is, make another process, or write out all disks.
NOT_TRIED = {15, 34, 56, 57, 58, 60, 162, 231}
# Allowed where the kernel and libseccomp know them.
TOO_NEW = {451, 452, 453, 454, 455, 456, 462}
# Of the kernel's own probes: since Linux 6.14 no filter is asked, and to others they say so or end them.
OF_PROBES = {335, 336}
NUMBERS = 480


def numbers_in(ranges):
    for it in ranges.split():
        first, _, last = it.partition("-")
        yield from range(int(first), int(last or first) + 1)


def called(number):
    """The code of its error, 0 for none; None: the process was ended."""
    # Its own process: what a call does to its caller is done to nobody else.
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(5)
        ctypes.set_errno(0)
        done = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 6)
        os.write(write, struct.pack("i", ctypes.get_errno() if done == -1 else 0))
        os._exit(0)
    os.close(write)
    answer = os.read(read, 4)
    os.close(read)
    os.waitpid(child, 0)
    return struct.unpack("i", answer)[0] if len(answer) == 4 else None


def system_calls():
    refusals = (None, errno.EPERM, errno.ENOSYS)
    named = {number: call for call, number in CALLS.items() if number is not None}
    for number, call in sorted(named.items(), key=lambda it: it[1]):
        code = called(number)
        row("system call", call, "EPERM or ENOSYS", said_of(code), code in refusals)
    allowed = set(numbers_in(ALLOWED))
    for number in sorted(set(range(NUMBERS)) - set(named) - NOT_TRIED - TOO_NEW):
        code = called(number)
        if number in OF_PROBES:
            row("system call", f"number {number}", "ENXIO, ENOSYS or an end", said_of(code),
                code in (None, errno.ENXIO, errno.ENOSYS))
        elif number in allowed:
            row("system call", f"number {number}", "an answer", said_of(code), code is not None)
        else:
            row("system call", f"number {number}", "EPERM or ENOSYS", said_of(code), code in refusals)
    namespaces = {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "network": 0x40000000,
                  "ipc": 0x8000000, "uts": 0x4000000, "cgroup": 0x2000000}
    for kind, flag in namespaces.items():
        ctypes.set_errno(0)
        done = libc.syscall(ctypes.c_long(56), ctypes.c_long(flag | 17), None, None, None, None)
        if done == 0:
            os._exit(0)
        row("system call", f"clone into a new {kind} namespace", "EPERM",
            name_of(ctypes.get_errno() if done == -1 else 0),
            done == -1 and ctypes.get_errno() == errno.EPERM)
    for kind, arguments in {
        "a raw socket": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        "a packet socket": (socket.AF_PACKET, socket.SOCK_RAW, 0x300),
        "a vsock": (40, socket.SOCK_STREAM, 0),
        "a kernel cipher": (38, socket.SOCK_SEQPACKET, 0),
        "a netfilter netlink": (socket.AF_NETLINK, socket.SOCK_RAW, 12),
        "an audit netlink": (socket.AF_NETLINK, socket.SOCK_RAW, 9),
    }.items():
        refused("system call", f"open {kind}", lambda it=arguments: socket.socket(*it))


def refused(group, attempt, act, allowed=REFUSED | {errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT}):
    try:
        act()
        row(group, attempt, "refused", "it was done", False)
    except OSError as error:
        row(group, attempt, "refused", name_of(error.errno), error.errno in allowed)


def read_some(path):
    with open(path, "rb") as file:
        return file.read(64)


# What containers of Docker, containerd and podman find covered, and what read-only.
COVERED = ["/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
           "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/firmware",
           "/sys/devices/virtual/powercap", "/sys/dev/block", "/sys/fs/selinux", "/sys/devices/system/cpu/cpu0/thermal_throttle"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def nothing_found(path):
    if not os.path.isdir(path):
        return nothing_read("file", path)
    found = sum(len(files) for _, _, files in os.walk(path))
    row("file", f"find files in {path}", "nothing", f"{found} files", found == 0)


def how_mounted(path, wanted):
    """What came of it, and whether its mount is so; a path that is not there is."""
    if not os.path.exists(path):
        return "not there", True
    with open("/proc/self/mountinfo", encoding="utf8") as file:
        mounts = {fields[4]: fields[5].split(",") for fields in map(str.split, file)}
    at = path
    while at not in mounts:
        at = os.path.dirname(at)
    return f"{at} is {','.join(mounts[at])}", set(wanted) <= set(mounts[at])


def files():
    for path in json.loads(os.environ.get("FILES", "[]")):
        refused("file", f"read {path}", lambda it=path: read_some(it))
    for path in [*COVERED, *glob.glob("/sys/devices/system/cpu/cpu*/thermal_throttle")]:
        nothing_found(path)
    for path in READ_ONLY:
        row("file", f"change {path}", "read-only", *how_mounted(path, ["ro"]))
    row("file", "mount options of /proc", "nosuid, nodev, noexec",
        *how_mounted("/proc", ["nosuid", "nodev", "noexec"]))
    for path in ["/proc/acpi/wakeup", "/proc/scsi/scsi", "/dev/mem", "/dev/kmsg", "/dev/port", "/dev/sda", "/dev/vda",
                 "/dev/loop0", "/dev/fuse", "/dev/kvm", "/dev/net/tun", "/proc/1/root/etc/shadow", "/etc/shadow",
                 "/proc/sys/kernel/core_pattern.x", "/sys/kernel/notes", "/sys/firmware/dmi/tables/DMI",
                 "/sys/fs/cgroup/release_agent", "/proc/1/mem"]:
        nothing_read("file", path)
    for path, text in {"/proc/sys/kernel/core_pattern": "|/tmp/x", "/proc/sysrq-trigger": "h",
                       "/proc/sys/kernel/modprobe": "/tmp/x", "/proc/sys/vm/drop_caches": "3",
                       "/proc/sys/net/ipv4/ip_forward": "1", "/proc/1/oom_score_adj": "-1000",
                       "/proc/self/oom_score_adj": "-1000", "/proc/self/uid_map": "0 0 1",
                       "/proc/self/setgroups": "allow", "/proc/self/attr/current": "x",
                       "/sys/fs/cgroup/memory/memory.limit_in_bytes": "-1", "/sys/fs/cgroup/memory.max": "max"}.items():
        refused("file", f"write {path}", lambda it=path, what=text: write(it, what),
                REFUSED | {errno.EINVAL})
    for path in ["/usr/bin/x", "/etc/x", "/slug/x", "/lib/x", "/x", "/sbin/mayfly-init", "/etc/hosts", "/etc/resolv.conf"]:
        refused("file", f"write {path}", lambda it=path: write(it, "x"))
    for kind, mode in {"a block": 0o60666, "a character": 0o20666}.items():
        refused("file", f"make {kind} device", lambda it=mode: os.mknod(f"/app/device-{it}", it, os.makedev(8, 0)))
    refused("file", "give a file to root", lambda: (write("/app/mine", "x"), os.chown("/app/mine", 0, 0)))
    setuid()
    others = [path for path in glob.glob("/proc/[0-9]*/root") if not mine(path)]
    row("file", "see processes of others", "none", f"{len(others)}", not others)
    descriptors = [os.readlink(f"/proc/self/fd/{it}") for it in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{it}")]
    strange = [it for it in descriptors if not it.startswith(("pipe:", "/dev/", "/proc/", "/app", "anon_inode", "socket:"))]
    row("file", "find descriptors left open", "none", ", ".join(strange) or "none", not strange)


def mine(path):
    try:
        return os.stat(path.rsplit("/", 1)[0]).st_uid in (os.getuid(), 0)
    except FileNotFoundError:
        return True


def nothing_read(group, path):
    try:
        found = read_some(path).strip(b"\0")
        row(group, f"read {path}", "nothing", f"{len(found)} bytes", not found)
    except OSError as error:
        row(group, f"read {path}", "nothing", name_of(error.errno), True)


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def machine():
    """Whose kernel it is."""
    with open("/proc/version", encoding="utf8") as file:
        return "gVisor" if "#1 SMP Sun Jan 10 15:06:54 PST 2016" in file.read() else "Linux"


def setuid():
    programs = [it for it in glob.glob("/usr/bin/*") if os.stat(it).st_mode & stat.S_ISUID]
    row("privilege", "find setuid programs to try", "4 or more", f"{len(programs)}", len(programs) >= 4)
    for program in programs:
        row("privilege", f"run {program}", *users_of(program))
    refused("file", "become root", lambda: os.setuid(0))
    refused("file", "take another group", lambda: os.setgroups([0]))
    status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
    for field in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]:
        # A kernel that does not tell of some has none of them.
        its = status.get(field, "0").strip()
        row("privilege", field, "0", its, int(its, 16) == 0)
    # PR_GET_NO_NEW_PRIVS
    kept = ctypes.CDLL(None).prctl(39, 0, 0, 0, 0)
    row("privilege", "NoNewPrivs", "1", str(kept), kept == 1)
    if "gVisor" not in machine():
        row("privilege", "Seccomp", "2", status["Seccomp"].strip(), status["Seccomp"].strip() == "2")


def users_of(program):
    """Of a process that runs it, as which users; it waits to say how it is used, for what it says goes into a pipe that is full."""
    full = os.pipe()
    os.set_blocking(full[1], False)
    until_refused(lambda _: os.write(full[1], bytes(4096)), 1000)
    until_refused(lambda _: os.write(full[1], b"x"), 5000)
    os.set_blocking(full[1], True)
    own = "\t".join([str(os.getuid())] * 4)
    child = os.fork()
    if child == 0:
        for it in (1, 2):
            os.dup2(full[1], it)
        os.execv(program, [program, "--help"])
    said, until = "it did not run", time.monotonic() + 5
    while time.monotonic() < until:
        with open(f"/proc/{child}/status", encoding="utf8") as file:
            its = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
        if its["Name"] == os.path.basename(program)[:15] and its["State"][0] == "S":
            said = its["Uid"]
            break
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    for it in full:
        os.close(it)
    return own.replace("\t", " "), said.replace("\t", " "), said == own


def connect(target):
    try:
        socket.create_connection((target["host"], target["port"]), timeout=2).close()
        return "reached"
    except ConnectionRefusedError:
        # Somebody answered, though only to say no: the packet got there.
        return "reached"
    except OSError as error:
        return f"not reached ({name_of(error.errno)})" if error.errno else "not reached"


def answers(door):
    """Whether anybody is there, even to refuse."""
    try:
        socket.create_connection(door, timeout=0.5).close()
    except ConnectionRefusedError:
        pass
    except OSError:
        return False
    return True


def processes():
    """Of others: none can be seen, traced, read or sent a signal."""
    def may(act):
        own = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        return [pid for pid in range(1, 32768) if pid not in own and act(pid)]
    def attach(pid):
        return libc.ptrace(ctypes.c_long(16), ctypes.c_long(pid), None, None) == 0
    def signal_to(pid):
        return libc.kill(pid, 0) == 0
    def read_of(pid):
        here = (ctypes.c_long * 2)(ctypes.addressof(ctypes.create_string_buffer(8)), 8)
        return libc.process_vm_readv(pid, here, 1, here, 1, 0) >= 0
    for attempt, act in {"trace": attach, "send a signal to": signal_to, "read the memory of": read_of}.items():
        found = may(act)
        row("process", f"{attempt} a process of another`s", "none", str(found or "none"), not found)


def network():
    targets = json.loads(os.environ.get("TARGETS", "[]"))
    # Side by side, for what drops packets lets each of them wait.
    with ThreadPoolExecutor(len(targets) or 1) as pool:
        for target, result in zip(targets, pool.map(connect, targets)):
            expected = "reached" if target["reachable"] else "not reached"
            row("network", f"connect to {target['name']}", expected, result,
                result.startswith("not") != target["reachable"])
    for address in json.loads(os.environ.get("FOREIGN", "[]")):
        refused("network", f"bind to {address}",
                lambda it=address: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind((it, 5000)),
                REFUSED | {errno.EADDRNOTAVAIL})
    def spoof():
        talker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        talker.setsockopt(socket.SOL_IP, 19, 1)  # IP_TRANSPARENT
    refused("network", "take any source address", spoof)
    def mark():
        talker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        talker.setsockopt(socket.SOL_SOCKET, 36, 1)  # SO_MARK
    refused("network", "mark packets", mark)
    own = socket.gethostbyname(socket.gethostname())
    around = own.rsplit(".", 1)[0]
    doors = [(f"{around}.{last}", port) for last in range(1, 255) for port in (22, 80, 5000)
             if f"{around}.{last}" != own]
    with ThreadPoolExecutor(128) as pool:
        open_ones = [door for door, is_open in zip(doors, pool.map(answers, doors)) if is_open]
    row("network", "find a door on the bridge", "none", str(open_ones or "none"), not open_ones)
    interfaces = [name for _, name in socket.if_nameindex()]
    row("network", "see interfaces", "lo, eth0", ", ".join(interfaces), set(interfaces) <= {"lo", "eth0"})
    has6 = os.path.exists("/proc/net/if_inet6") and [
        line for line in open("/proc/net/if_inet6") if not line.startswith("0" * 31 + "1")]
    row("network", "have an IPv6 address beyond loopback", "none", str(len(has6 or [])), not has6)


def answer_to(question):
    """Of a name server, in words; a record of it is what must not be told."""
    labels = b"".join(bytes([len(it)]) + it.encode() for it in question["name"].split("."))
    asked = labels + b"\0" + struct.pack(">HH", question["type"], question["class"])
    packet = struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + asked
    kind = socket.SOCK_DGRAM if question["by"] == "udp" else socket.SOCK_STREAM
    speaker = socket.socket(socket.AF_INET, kind)
    speaker.settimeout(2 if question["expected"] == "nobody" else 10)
    length = b"" if question["by"] == "udp" else struct.pack(">H", len(packet))
    try:
        speaker.connect((question["server"], 53))
        speaker.send(length + packet)
        answer = speaker.recv(4096)[len(length):]
    except OSError as error:
        return f"nobody answers ({name_of(error.errno) if error.errno else 'silence'})"
    records = sum(struct.unpack(">HHH", answer[6:12]))
    return f"{records} records" if records else f"none (code {answer[3] & 15})"


def names():
    questions = json.loads(os.environ["QUESTIONS"])
    # Of the four connections that a dyno may have to its resolver, one is free for what was lost.
    with ThreadPoolExecutor(3) as pool:
        for question, result in zip(questions, pool.map(answer_to, questions)):
            attempt = f"{question['what']}: {question['name']} by {question['by']}"
            row("names", attempt, question["expected"], result, question["expected"] in result)


def until_refused(act, most):
    """How often it was done before it was refused, and by what error."""
    for done in range(most):
        try:
            act(done)
        except OSError as error:
            return done, name_of(error.errno)
    return most, "nothing"


def bomb(attempt, most, act, limit, by):
    """`by`: the error that ends it."""
    done, error = until_refused(act, most)
    row("bomb", attempt, f"at most {limit}", f"{done}, then {error}",
        done <= limit and error == name_of(by))


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


def spin(each=1):
    """Takes all the processor it can get, by so many processes for each, until it is ended."""
    for _ in range(each * os.cpu_count()):
        if os.fork() == 0:
            while True:
                pass
    signal.pause()


def neighbour():
    """Answers once it has written to its own disk, and read that again."""
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            with open(f"/app/{time.monotonic_ns()}", "w+b", buffering=0) as file:
                file.write(bytes(4096))
                os.fsync(file.fileno())
                file.seek(0)
                self.send_response(200 if len(file.read()) == 4096 else 507)
            self.end_headers()
        def log_message(self, *_):
            pass
    ThreadingHTTPServer(("", 5000), Handler).serve_forever()


def flows():
    there, most = os.environ['THERE'], int(os.environ['FLOWS'])
    speaker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    begun, by = until_refused(lambda n: speaker.sendto(b'x', (there, 10000 + n % 50000)), most)
    row('flows', f'begin {most}', f'{most}, here', f'{begun}, then {by}', begun == most)


def ask_for_neighbours():
    """Each that is asked for on a link takes a place in a table of the machine's."""
    own = socket.gethostbyname(socket.gethostname()).split(".")
    speaker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    speaker.setblocking(False)
    def ask(n):
        speaker.sendto(b"x", (f"{own[0]}.{own[1]}.{int(own[2]) ^ 1}.{1 + n % 250}", 9))
    asked, by = until_refused(ask, 250)
    row("neighbours", "ask for 250", "250, here", f"{asked}, then {by}", asked == 250)


def countable():
    """What the kernel counts for whoever made the user namespace, too, who is root for all dynos: how to have one more."""
    # Many, for of one file the kernel looks at all that is watched before it adds to that.
    files = [os.path.join(at, name) for at, _, names in os.walk("/usr") for name in names if os.path.isfile(os.path.join(at, name))][:5000]
    instances = [libc.inotify_init1(0)]
    def instance(_):
        instances.append(done(libc.inotify_init1(0)))
    def watch(n):
        if n // len(files) >= len(instances):
            instances.append(done(libc.inotify_init1(0)))
        done(libc.inotify_add_watch(instances[n // len(files)], files[n % len(files)].encode(), 2))
    def timer(_):
        done(libc.timer_create(1, None, ctypes.byref(ctypes.c_void_p())))
    def queued(_):
        done(libc.sigqueue(os.getpid(), signal.SIGRTMIN, None))
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
    return {"watches": watch, "inotify instances": instance, "timers": timer, "queued signals": queued}


def done(answer):
    if answer < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return answer


def take_countable():
    """All it gets, and keeps it: of the first two what its own memory and open files allow, and not what the machine's tables do."""
    # gVisor counts for itself, and slowly.
    most = 10_000 if machine() == "gVisor" else 200_000
    wanted = {"watches": most, "inotify instances": resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500}
    for what, more in countable().items():
        had, by = until_refused(more, wanted.get(what, most))
        row("countable", what, f"all {wanted[what]}" if what in wanted else "at most 1024",
            f"{had}, then {by}", had == wanted[what] if what in wanted else had <= 1024)


def have_countable():
    for what, more in countable().items():
        _, by = until_refused(more, 1)
        row("countable", f"one more of {what}", "had", "had" if by == "nothing" else by, by == "nothing")


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


def kept_flows():
    """Keeps a flow to each target going, and says which of them ended. Told on standard output at first: begun."""
    targets = json.loads(os.environ["TARGETS"])
    cut = [target for target in targets if not target["reachable"]]
    ended = set()

    def keep(target):
        flow = FLOWS[target["by"]](target)
        row("kept flow", target["name"], "begun", "begun", True)
        until = time.monotonic() + 15
        while time.monotonic() < until and (len(ended) < len(cut) or target not in cut):
            try:
                flow()
            except OSError as error:
                ended.add(target["name"])
                return f"ended ({error})"
            if target not in cut and len(ended) >= len(cut):
                break
            time.sleep(0.05)
        return "goes on"

    with ThreadPoolExecutor(len(targets)) as pool:
        for target, result in zip(targets, pool.map(keep, targets)):
            expected = "goes on" if target["reachable"] else "ended"
            row("kept flow", target["name"], expected, result, result.startswith(expected))


def echoed(target):
    """A connection, whose other end sends back what it gets."""
    talker = socket.create_connection((target["host"], target["port"]), timeout=5)
    talker.settimeout(2)
    def once():
        talker.sendall(b"x")
        if not talker.recv(1):
            raise OSError("closed")
    once()
    return once


def streamed(target):
    """Datagrams that come without being asked for, once the first was."""
    talker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    talker.connect((target["host"], target["port"]))
    talker.settimeout(2)
    talker.send(b"x")
    def once():
        talker.recv(1)
    once()
    return once


FLOWS = {"echo": echoed, "stream": streamed}


def log_bomb():
    line = "x" * 999 + "\n"
    for _ in range(100_000):
        sys.stdout.write(line)


def memory_bomb():
    hoard = []
    while True:
        hoard.append(bytearray(16 * 1024 ** 2))


GROUPS = {"bombs": bombs, "log-bomb": log_bomb, "memory-bomb": memory_bomb, "none": lambda: None, "wait": signal.pause, "system-calls": system_calls, "files": files, "network": network, "processes": processes, "flows": flows, "names": names, "kept-flows": kept_flows, "hold-in-sockets": hold_in_sockets, "ask-for-neighbours": ask_for_neighbours,
          "take-countable": take_countable, "have-countable": have_countable,
          "fill-disk": fill_disk, "spin": spin, "spin-much": lambda: spin(8), "neighbour": neighbour}

for group in sys.argv[1:]:
    GROUPS[group]()
