import pytest

from pipelines.plan import candidate_rows, even_tasks, identity_tasks, sample_key, slices
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
    identities, indices = candidate_rows(4, 6, 2)

    assert identities.tolist() == [4, 4, 5, 5]
    assert indices.tolist() == [0, 1, 0, 1]


def test_slices_cover_all_rows():
    assert [(rows.start, rows.stop) for rows in slices(5, 2)] == [(0, 2), (2, 4), (4, 5)]


def test_keys_sort_as_numbers_do():
    assert sample_key(1234, 7) == "00001234_0007"
