"""Run a program that dies with its parent: `python leash.py PARENT SIGNAL USER PROGRAM [ARGUMENT…]`.

A separate little program instead of `preexec_fn`, which is unsafe in a process with threads. It runs inside the user
namespace, if there is one, because entering one may clear the setting. USER is a numeric id, or `-` to stay who we are.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, number, user = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    if user != "-":
        os.setgroups([])
        os.setgid(int(user))
        os.setuid(int(user))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
        # The parent may have died before prctl, and then no signal would ever come.
        if os.getppid() != parent:
            sys.exit(1)
    os.execvp(sys.argv[4], sys.argv[4:])


main()
