import ctypes
import glob
import os
import signal
import stat
import time

from attempts import machine, refused, row, until_refused


def privileges():
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
