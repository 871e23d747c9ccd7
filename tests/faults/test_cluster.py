"""The inventory on a Galera cluster: the exporter reads it while any node can be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.attack_scene import PASSWORD, SAMPLE, Scene, prepare, scene
from testing.servers import eventually
from tests.faults.galera import Cluster, Node, cluster

NO_QUORUM = (
    "error 1047: WSREP has not yet prepared node for application use; the cluster node is not synced or has no quorum"
)


@pytest.fixture(scope="module")
def galera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three nodes with an inventory; each test leaves them as they were, in step."""
    with cluster(tmp_path_factory.mktemp("galera")) as running:
        prepare(running.nodes[0])
        yield running


@pytest.fixture
def watched(galera: Cluster, tmp_path: Path) -> Iterator[Scene]:
    """An exporter that knows every node, the first through a proxy."""
    with scene(tmp_path, *galera.nodes) as running:
        yield running


def back_up(node: Node) -> float:
    """Let another dump of s1 succeed, an hour after the one before; return its id."""
    ((found,),) = node.execute(
        "INSERT INTO backups (name, status, source, host, type, section, start_date, end_date, total_size) "
        "SELECT name, status, source, host, type, section, start_date + INTERVAL 1 HOUR, end_date + INTERVAL 1 HOUR, "
        "total_size FROM backups WHERE section = 's1' ORDER BY start_date DESC LIMIT 1",
        "SELECT LAST_INSERT_ID()",
        database="dbbackups",
    )
    assert isinstance(found, int)
    return float(found)


def await_success(watched: Scene, number: float) -> None:
    eventually(lambda: watched.value(SAMPLE) == number, f"run {number} is known")
    eventually(watched.is_up, "the exporter is up")


def test_nodes_that_are_killed_one_after_the_other_are_survived(galera: Cluster, watched: Scene) -> None:
    before = watched.footprint()
    # The one that is read, and one that is not.
    for node in galera.nodes[:2]:
        polls = watched.polls()
        failed = watched.failures("connect")
        galera.kill(node)
        await_success(watched, back_up(galera.others(node)[0]))
        assert watched.polls() > polls
        # At most the one that was on its way.
        assert watched.failures("connect") <= failed + 1
        galera.restart(node)
        await_success(watched, back_up(node))
    assert watched.failures("internal") == watched.failures("query") == watched.failures("schema") == 0
    eventually(lambda: watched.footprint().threads <= before.threads + 1, "no thread is left over")
    eventually(lambda: watched.footprint().descriptors <= before.descriptors + 1, "no descriptor is left over")
    assert PASSWORD not in watched.exporter.logged()
    assert "Traceback" not in watched.exporter.logged()


def test_node_that_is_cut_off_is_passed_over_and_a_cluster_without_a_quorum_is_said(
    galera: Cluster, watched: Scene
) -> None:
    """A node that is cut off takes connections and answers no question; what is written meanwhile it has not."""
    alone, *others = galera.nodes
    alone.isolate(True)
    eventually(lambda: not alone.is_ready(), "the node refuses questions")
    galera.await_size(2, others)
    failed = watched.failures("connect")
    await_success(watched, back_up(others[0]))
    watched.await_polls(3)
    # At most the one that was on its way.
    assert watched.failures("connect") <= failed + 1
    with watched.survived("connect", NO_QUORUM, log_lines=8):
        for node in others:
            node.isolate(True)
        watched.stays_away()
        failed = watched.failures("connect")
        # Long enough for leaked resources to become visible.
        eventually(lambda: watched.failures("connect") >= failed + 12, "a dozen polls failed")
        for node in galera.nodes:
            node.isolate(False)
        galera.await_size(3, galera.nodes)
    await_success(watched, back_up(alone))


def test_node_that_rejects_queries_or_hangs_is_skipped(galera: Cluster, watched: Scene) -> None:
    first, other, _ = galera.nodes
    eventually(watched.is_up, "the exporter is up")
    failed = watched.failures("connect")
    first.execute("SET GLOBAL wsrep_reject_queries = ALL")
    watched.await_polls(3)
    first.execute("SET GLOBAL wsrep_reject_queries = NONE")
    # At most the one that was on its way.
    assert watched.failures("connect") <= failed + 1
    watched.proxy.stalled = True
    await_success(watched, back_up(other))
    watched.proxy.heal()
    await_success(watched, back_up(first))
