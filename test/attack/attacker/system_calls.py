import ctypes
import errno
import mmap
import os
import signal
import socket
import struct

from attempts import libc, name_of, refused, row

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
# Of the processor's other interface, for programs of 32-bit addresses, each number has this bit.
X32 = 0x40000000


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
    for kind, family in {"unix, and a bit more": 1 | 1 << 32, "IPv4": 2, "TIPC": 30, "unknown": 45}.items():
        code = called(53, family, socket.SOCK_STREAM, 0, 0)
        row("system call", f"pair {kind} sockets", "EPERM or ENOSYS", said_of(code), code in refusals)
    code = called(X32 | 39)
    row("system call", "as a program of x32", said_of(None), said_of(code), code is None)
    code = called_as_32_bit()
    row("system call", "as a program of 32 bits", said_of(None), said_of(code), code is None)


def numbers_in(ranges):
    for it in ranges.split():
        first, _, last = it.partition("-")
        yield from range(int(first), int(last or first) + 1)


def called(number, *arguments):
    """The code of its error, 0 for none; None: the process was ended."""
    def call():
        ctypes.set_errno(0)
        done = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments or [-1] * 6))
        return ctypes.get_errno() if done == -1 else 0
    return answer_of(call)


def called_as_32_bit():
    """The same of getpid, as programs of 32 bits call it: mov eax, 20; int 0x80; ret."""
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    return answer_of(lambda: max(0, -call()))


def answer_of(call):
    # Its own process: what a call does to its caller is done to nobody else.
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(5)
        os.write(write, struct.pack("i", call()))
        os._exit(0)
    os.close(write)
    answer = os.read(read, 4)
    os.close(read)
    os.waitpid(child, 0)
    return struct.unpack("i", answer)[0] if len(answer) == 4 else None


def said_of(code):
    return "the process was ended" if code is None else name_of(code)
