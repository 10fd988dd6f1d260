"""Starting a worker."""

import os
import signal

import pytest

from pipelines.executors.worker import THREAD_LIMITS, child_settings
from tests.toy import heed_ctrl_c


def test_ctrl_c_while_a_worker_starts_reaches_the_driver():
    heed_ctrl_c()

    with pytest.raises(KeyboardInterrupt), child_settings():
        signal.raise_signal(signal.SIGINT)  # to this thread: another one could take it, and tell this one too late

    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_a_child_starts_with_one_thread_and_the_driver_keeps_its_own_settings(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)

    with child_settings():
        inside = [os.environ[name] for name in THREAD_LIMITS]

    assert inside == ["1"] * len(THREAD_LIMITS)
    assert os.environ["OMP_NUM_THREADS"] == "5"
    assert "OPENBLAS_NUM_THREADS" not in os.environ
