import numpy as np
import pytest

from pipelines.config import parse_config
from pipelines.stages.source_shards import SourceShards
from synth.shards.table import read_table
from tests.toy import CONFIG, run_toy


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    directory, _ = run_toy(tmp_path_factory.mktemp("source_shards") / "toy", until="select")
    return directory


@pytest.mark.parametrize("most_bytes", [0, 8000, 1 << 30], ids=["nothing is kept", "some is kept", "all is kept"])
def test_the_columns_are_those_of_the_selected_samples_however_much_is_kept(run, most_bytes):
    selection = read_table(run.shard("select", 0) / "selection.parquet")
    sources = SourceShards(run, parse_config(CONFIG, "toy.yaml"), most_bytes)

    sources.columns(selection)
    columns = sources.columns(selection)

    for row in range(len(selection["identity"])):
        shard = selection["source_shard"][row]
        made = read_table(run.shard("generate", shard) / "samples.parquet")
        seen = read_table(run.shard("measure", shard) / "samples.parquet")
        (at,) = np.flatnonzero(
            (made["identity"] == selection["identity"][row]) & (made["index"] == selection["index"][row])
        )
        assert columns["seed"][row] == made["seed"][at]
        assert (columns["truth_tint"][row] == made["truth_tint"][at]).all()
        assert (columns["embedding"][row] == seen["embedding"][at]).all()


def test_no_more_is_kept_than_there_is_room_for(run):
    selection = read_table(run.shard("select", 0) / "selection.parquet")
    sources = SourceShards(run, parse_config(CONFIG, "toy.yaml"), 8000)

    sources.columns(selection)

    kept = sum(column.nbytes for table in sources._kept.values() for column in table.values())
    assert 0 < kept <= 8000
    assert 0 < len(sources._kept) < 4
