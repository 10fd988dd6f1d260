from pipelines.quantities import duration, storage


def test_durations_are_told_in_fitting_units():
    assert [duration(seconds) for seconds in (8.12, 720, 12600)] == ["8.1 s", "12 min", "3.5 h"]


def test_sizes_are_told_in_fitting_units():
    assert [storage(size) for size in (12, 8_100, 1.2e6, 4.53e9)] == ["12 bytes", "8.1 kB", "1.2 MB", "4.53 GB"]
