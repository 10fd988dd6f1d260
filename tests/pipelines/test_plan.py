import numpy as np
import pytest

from pipelines.plan import candidate_rows, even_tasks, identity_tasks, in_round, round_of, sample_key, slices
from synth.shards.manifest import Task


def test_the_last_group_of_identities_may_be_short():
    assert identity_tasks(7, 3) == [Task(0, 0, 3), Task(1, 3, 6), Task(2, 6, 7)]


def test_more_identities_leave_whole_groups_as_they_are():
    assert identity_tasks(9, 3)[:2] == identity_tasks(7, 3)[:2]


@pytest.mark.parametrize(("count", "largest"), [(1, 5), (5, 5), (6, 5), (1001, 100), (11, 3)])
def test_even_tasks_cover_all_and_differ_by_at_most_one(count, largest):
    tasks = even_tasks(count, largest)

    sizes = [task.stop - task.start for task in tasks]
    assert sum(sizes) == count
    assert len(tasks) == -(-count // largest)
    assert max(sizes) <= largest
    assert max(sizes) - min(sizes) <= 1
    assert [task.start for task in tasks[1:]] == [task.stop for task in tasks[:-1]]


def test_nothing_needs_no_tasks():
    assert even_tasks(0, 10) == []


def test_candidates_are_identity_major():
    identities, indices = candidate_rows(np.array([4, 5]), 2)

    assert identities.tolist() == [4, 4, 5, 5]
    assert indices.tolist() == [0, 1, 0, 1]


def test_indices_of_a_later_round_go_on():
    identities, indices = candidate_rows(np.array([2, 7]), 3, number=2)

    assert identities.tolist() == [2, 2, 2, 7, 7, 7]
    assert indices.tolist() == [6, 7, 8] * 2


def test_each_round_has_a_task_for_each_range_of_identities():
    tasks = identity_tasks(7, 3, rounds=3)

    assert tasks[:3] == identity_tasks(7, 3)
    assert [round_of(task.shard) for task in tasks] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert [(task.start, task.stop) for task in tasks[6:]] == [(0, 3), (3, 6), (6, 7)]
    assert [in_round(task.shard, 0) for task in tasks[3:6]] == [0, 1, 2]
    assert in_round(tasks[1].shard, 2) == tasks[7].shard


def test_slices_cover_all_rows():
    assert [(rows.start, rows.stop) for rows in slices(5, 2)] == [(0, 2), (2, 4), (4, 5)]


def test_keys_sort_as_numbers_do():
    assert sample_key(1234, 7) == "00001234_0007"
