"""Reads assembled folders with software that is not ours: what it finds is (label, encoded image) of each sample."""

import pickle
import subprocess
import sys
from pathlib import Path

from tests import record_io_by_the_spec as spec


def _webdataset(folder, load):
    # In a process of its own: webdataset leaves its files open, which would be a warning here.
    script = (
        "import glob, pickle, sys, webdataset\n"
        "rows = webdataset.WebDataset(sorted(glob.glob(sys.argv[1])), shardshuffle=False)\n"
        "sys.stdout.buffer.write(pickle.dumps([(int(row['cls']), row['jpg']) for row in rows]))\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, f"{folder}/train-*.tar"], check=True, capture_output=True)
    return pickle.loads(ended.stdout)


def _image_folder(folder, load):
    return [(row["label"], Path(row["image"]["path"]).read_bytes()) for row in load(str(folder))]


def _parquet(folder, load):
    return [(row["label"], row["image"]["bytes"]) for row in load(str(folder))]


def _record_io(folder, load):
    """As arcface_torch and CVLface read: all keys of the index or, where record 0 is a header, those that it names."""
    records = dict(spec.records((folder / "train.rec").read_bytes()))
    offsets = dict(spec.index((folder / "train.idx").read_text()))
    first = records[offsets[0]]
    keys = list(offsets)
    if first[0]:
        keys = range(1, int(spec.image(first)[0]))
    return [spec.image(records[offsets[key]])[::2] for key in keys]


READERS = {
    "webdataset": _webdataset,
    "image_folder": _image_folder,
    "parquet": _parquet,
    "record_io": _record_io,
}
