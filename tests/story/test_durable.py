"""Acknowledged means on the disk: each commit of the inbox is followed by a sync, counted in the library call itself."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>
static void note(void) {
    int f = open(COUNTED, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (f >= 0) { if (write(f, "x", 1) < 0) {} close(f); }
}
int fdatasync(int fd) { note(); return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd); }
int fsync(int fd) { note(); return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd); }
"""

COMMITS = 40

CODE = f"""
import os, sys
from pathlib import Path
from connector.ports import Event
from sync import inbox
from sync.store import Store

folder = Path(sys.argv[1])
store = Store(folder / "zixin.db")
counted = folder / "counted"
size = lambda: counted.stat().st_size if counted.exists() else 0
with store.write() as session:
    mode = session.tx.exec_driver_sql("pragma synchronous").scalar(), session.tx.exec_driver_sql("pragma journal_mode").scalar()
before = size()
clerk = inbox.InboxWriter(store)
for number in range({COMMITS}):
    clerk.submit("sim", [Event(f"e{{number}}", "", (), ("A1",))], 1).result()
print(*mode, size() - before)
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="needs Linux: the library calls are counted by LD_PRELOAD"
)
@pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler: apt-get install -y gcc libc6-dev")
def test_every_acknowledged_event_was_synced_to_the_disk(tmp_path: Path) -> None:
    shim, source = tmp_path / "shim.so", tmp_path / "shim.c"
    source.write_text(SHIM)
    count = f'-DCOUNTED="{tmp_path / "counted"}"'
    subprocess.run(["cc", "-shared", "-fPIC", count, "-o", str(shim), str(source), "-ldl"], check=True)
    env = {**os.environ, "LD_PRELOAD": str(shim)}
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path)], env=env, capture_output=True, text=True, check=True
    )

    level, journal, syncs = done.stdout.split()
    assert (level, journal) == ("2", "wal")
    assert int(syncs) >= COMMITS
