import errno
import glob
import json
import os
import stat

from attempts import REFUSED, nothing_read, read_some, refused, row, write
from privileges import privileges

# What containers of Docker, containerd and podman find covered, and what read-only.
COVERED = ["/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
           "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/firmware",
           "/sys/devices/virtual/powercap", "/sys/dev/block", "/sys/fs/selinux", "/sys/devices/system/cpu/cpu0/thermal_throttle"]
# All that a dyno has of the machine's devices, by their numbers; the rest of /dev is its own.
DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
ITS_OWN = ["console", "ptmx"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


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
    row("file", "find devices in /dev", ", ".join(sorted(DEVICES)), *devices())
    privileges()
    others = [path for path in glob.glob("/proc/[0-9]*/root") if not mine(path)]
    row("file", "see processes of others", "none", f"{len(others)}", not others)
    descriptors = [os.readlink(f"/proc/self/fd/{it}") for it in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{it}")]
    strange = [it for it in descriptors if not it.startswith(("pipe:", "/dev/", "/proc/", "/app", "anon_inode", "socket:"))]
    row("file", "find descriptors left open", "none", ", ".join(strange) or "none", not strange)


def devices():
    """Their names, and whether they are all there and what they say."""
    nodes = {it: os.lstat(f"/dev/{it}") for it in os.listdir("/dev")}
    found = {name: (os.major(it.st_rdev), os.minor(it.st_rdev)) for name, it in nodes.items()
             if stat.S_ISCHR(it.st_mode) or stat.S_ISBLK(it.st_mode)}
    theirs = {name: numbers for name, numbers in found.items() if name not in ITS_OWN}
    blocks = [name for name, it in nodes.items() if stat.S_ISBLK(it.st_mode)]
    return ", ".join(sorted(found)), theirs == DEVICES and not blocks


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


def mine(path):
    try:
        return os.stat(path.rsplit("/", 1)[0]).st_uid in (os.getuid(), 0)
    except FileNotFoundError:
        return True
