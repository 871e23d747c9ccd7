"""A Galera cluster of three MariaDB servers on temporary directories and free ports."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from testing.servers import MariaDB, eventually, free_port, need

_PROVIDER = "/usr/lib/galera/libgalera_smm.so"
# Settings of a cluster node, with less memory, because there are three.
_TAKES_PART = [
    "--wsrep-on=ON",
    f"--wsrep-provider={_PROVIDER}",
    # Since MariaDB 11 this plugin is loaded, and then wsrep_provider_options cannot be set at run time.
    "--loose-plugin-wsrep-provider=OFF",
    "--binlog-format=ROW",
    "--innodb-autoinc-lock-mode=2",
    "--innodb-buffer-pool-size=32M",
]


@dataclass
class Node(MariaDB):
    """One server of a cluster, with the ports at which the others reach it."""

    group: int = field(default_factory=free_port)
    increments: int = field(default_factory=free_port)
    transfers: int = field(default_factory=free_port)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.group}"

    @contextmanager
    def join(self, *others: Node, position: str = "") -> Iterator[None]:
        """Serve as one of a cluster; without ``others`` as the first of it."""
        provider = f"gmcast.listen_addr=tcp://{self.address};ist.recv_addr=127.0.0.1:{self.increments};gcache.size=16M"
        with self.serve(
            *_TAKES_PART,
            f"--wsrep-cluster-address=gcomm://{','.join(other.address for other in others)}",
            f"--wsrep-node-address={self.address}",
            f"--wsrep-provider-options={provider}",
            "--wsrep-sst-method=mariabackup",
            "--wsrep-sst-auth=root:",
            f"--wsrep-sst-receive-address=127.0.0.1:{self.transfers}",
            *([f"--wsrep-start-position={position}"] if position else []),
        ):
            eventually(self.is_synced, "the node is in step")
            yield

    def is_synced(self) -> bool:
        return ("wsrep_local_state_comment", "Synced") in self.execute("SHOW STATUS LIKE 'wsrep_local_state_comment'")

    def is_ready(self) -> bool:
        """Return whether it answers questions; alone, out of the quorum, it does not."""
        return ("wsrep_ready", "ON") in self.execute("SHOW STATUS LIKE 'wsrep_ready'")

    def sees(self, size: int) -> bool:
        """Return whether the node reports a cluster of this size."""
        return ("wsrep_cluster_size", str(size)) in self.execute("SHOW STATUS LIKE 'wsrep_cluster_size'")

    def isolate(self, alone: bool) -> None:
        """Cut it off from the other nodes, as a broken network does, or connect it again; clients still reach it."""
        self.execute(f"SET GLOBAL wsrep_provider_options = 'gmcast.isolate={int(alone)}'")

    def position(self) -> str:
        """Return how far a node that was killed had come, as Debian's service asks before it starts one."""
        command = [need("mariadbd"), "--no-defaults", *self._places, *_TAKES_PART, "--wsrep-recover"]
        command += ["--wsrep-cluster-address=gcomm://", "--skip-networking"]
        command += [f"--socket={self.directory / 'recovery'}", f"--pid-file={self.directory / 'recovery.pid'}"]
        command += ["--user=root"] if not os.getuid() else []
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = re.findall(r"Recovered position: *(\S+)", done.stderr)
        assert found, done.stderr
        return str(found[-1])


@dataclass
class Cluster:
    """Three nodes that hold the same.

    Attributes:
        stack: what ends them.
    """

    nodes: list[Node]
    stack: ExitStack

    def others(self, node: Node) -> list[Node]:
        return [other for other in self.nodes if other is not node]

    def kill(self, node: Node) -> None:
        """Let a node be gone at once; return when the others have noticed and go on without it."""
        assert node.running
        node.running.kill()
        node.running.wait()
        self.await_size(len(self.nodes) - 1, self.others(node))

    def restart(self, node: Node) -> None:
        """Start a node that was killed; return when all are in step."""
        self.stack.enter_context(node.join(*self.others(node), position=node.position()))
        self.await_size(len(self.nodes), self.nodes)

    def await_size(self, size: int, nodes: list[Node]) -> None:
        """Wait until these nodes say that they are so many."""
        for node in nodes:
            eventually(partial(node.sees, size), f"a cluster of {size}")
            eventually(node.is_synced, "the node is in step")


@contextmanager
def cluster(directory: Path) -> Iterator[Cluster]:
    """Run three nodes; each begins with a copy of the first, so that it needs no more than what came since."""
    first = Node(_made(directory / "first"))
    first.install()
    with first.join():
        pass
    nodes = [Node(_made(directory / f"node{number}")) for number in range(3)]
    for node in nodes:
        shutil.copytree(first.directory / "data", node.directory / "data")
    with ExitStack() as stack:
        running = Cluster(nodes, stack)
        stack.enter_context(nodes[0].join())
        with ThreadPoolExecutor() as pool:
            joined = pool.map(lambda node: stack.enter_context(node.join(*running.others(node))), nodes[1:])
            list(joined)
        running.await_size(3, nodes)
        yield running


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory
