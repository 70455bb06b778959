"""What an attempt is told as: a row, one JSON object a line."""

import ctypes
import errno
import json

libc = ctypes.CDLL(None, use_errno=True)
REFUSED = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.ENOENT, errno.EROFS, errno.ENODEV}


def row(group, attempt, expected, result, held):
    print(json.dumps({"group": group, "attempt": attempt, "expected": expected,
                      "result": result, "held": bool(held)}), flush=True)


def name_of(code):
    return errno.errorcode.get(code, str(code)) if code else "it was done"


def refused(group, attempt, act, allowed=REFUSED | {errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT}):
    try:
        act()
        row(group, attempt, "refused", "it was done", False)
    except OSError as error:
        row(group, attempt, "refused", name_of(error.errno), error.errno in allowed)


def until_refused(act, most):
    """How often it was done before it was refused, and by what error."""
    for done in range(most):
        try:
            act(done)
        except OSError as error:
            return done, name_of(error.errno)
    return most, "nothing"


def done(answer):
    if answer < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return answer


def read_some(path):
    with open(path, "rb") as file:
        return file.read(64)


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
