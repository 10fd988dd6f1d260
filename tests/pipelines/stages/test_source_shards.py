import numpy as np
import pytest

from pipelines.config import parse_config
from pipelines.stages.source_shards import SourceShards
from synth.shards.table import read_table, write_table
from synth.shards.tar import TarReader, TarWriter
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


def test_images_are_found_where_they_are_in_a_shard_that_was_made_again(tmp_path):
    run, _ = run_toy(tmp_path / "toy", until="select")
    shard = run.shard("generate", 1)
    table = read_table(shard / "samples.parquet")
    with TarReader(shard / "images.tar") as tar:
        images = dict(tar)
    with TarWriter(shard / "images.tar") as tar:  # as with another encoder: the same images, elsewhere
        tar.add("longer.jpg", bytes(5000))
        places = [tar.add(name, image) for name, image in images.items()]
    write_table(shard / "samples.parquet", table | {"tar_offset": np.array([offset for offset, _ in places])})

    run_toy(run.root, "export.crop=generated")

    exported = {}
    for path in sorted(run.dataset.glob("*.tar")):
        with TarReader(path) as tar:
            exported |= {f"{sample['__key__']}.jpg": sample["jpg"] for sample in tar.samples()}
    moved = exported.keys() & images.keys()
    assert len(moved) > 5
    assert all(exported[name] == images[name] for name in moved)
