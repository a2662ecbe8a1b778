"""Run zixin from a bare machine: `python3 go.py demo`, `python3 go.py test`, or any other words of zixin.

Needs Python 3.11 or later and a package index that pip can reach; makes .venv beside itself once, and again when
the locks change. Progress goes to standard error. Written so that an old Python can read it and say what it lacks.
"""

import hashlib
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(HERE, ".venv")
BIN = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin")
PYTHON = os.path.join(BIN, "python.exe" if os.name == "nt" else "python")
LOCKS = ["requirements/core.txt", "requirements/test.txt"]


def say(words):
    """One line of progress."""
    sys.stderr.write("go.py: " + words + "\n")


def stamp():
    """Change when what is to be installed changes."""
    digest = hashlib.sha256(sys.version.encode())
    for name in LOCKS + ["pyproject.toml", "setup.cfg"]:
        with open(os.path.join(HERE, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest() + " " + HERE


def install():
    """Make .venv and install the locks, then zixin itself; nothing to do when the stamp still holds."""
    mark = os.path.join(VENV, "zixin.stamp")
    if os.path.exists(mark) and os.path.exists(PYTHON):
        with open(mark) as file:
            if file.read() == stamp():
                return
    say("installing into .venv (once; a few hundred megabytes)")
    if subprocess.call([sys.executable, "-m", "venv", "--clear", VENV], stdout=sys.stderr) != 0:
        sys.exit("go.py: could not make .venv: install Python's venv and ensurepip (Debian: apt install python3-venv)")
    pip = [PYTHON, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-warn-script-location"]
    locks = [word for name in LOCKS for word in ("-r", os.path.join(HERE, name))]
    for words in (["--require-hashes"] + locks, ["--no-deps", "--no-build-isolation", "-e", HERE]):
        if subprocess.call(pip + words, stdout=sys.stderr) != 0:
            sys.exit("go.py: pip could not install; it needs a package index (see `pip config list`)")
    with open(mark, "w") as file:
        file.write(stamp())


if __name__ == "__main__":
    if sys.version_info < (3, 11):
        sys.exit("go.py: this is Python %d.%d; zixin needs 3.11 or later" % sys.version_info[:2])
    install()
    if sys.argv[1:2] == ["test"]:
        sys.exit(subprocess.call([PYTHON, "-m", "tests"] + sys.argv[2:], cwd=HERE))
    zixin = [PYTHON, "-m", "zixin"] + sys.argv[1:]
    if os.name == "nt":
        sys.exit(subprocess.call(zixin))
    os.execv(PYTHON, zixin)
