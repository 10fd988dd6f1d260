"""Vector files whose headers harm; torn and pickled ones are in tests/synth/vectors."""

import json
import struct
import zipfile

import pytest

from synth.errors import VectorsError
from synth.vectors.blocks import vector_blocks
from synth.vectors.files import read_vectors
from synth.vectors.statistics_files import read_statistics


def npy(header):
    padded = header.encode() + (-len(header) - 11) % 64 * b" " + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(padded)) + padded + bytes(64)


def array(shape, descr="'<f4'"):
    return npy(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}")


def safetensors(dtype, shape):
    header = json.dumps({"a": {"dtype": dtype, "shape": shape, "data_offsets": [0, 4]}}).encode()
    return struct.pack("<Q", len(header)) + header + b"1234"


FILES = {
    "petabytes.npy": array("(1000000000000, 512)"),
    "overflow.npy": array("(99999999999999999999, 512)"),
    "negative.npy": array("(-1, 512)"),
    "unclosed.npy": npy(3000 * "("),
    "nested.npy": npy(4000 * "[" + 4000 * "]"),
    "objects.npy": array("(1,)", "'|O'"),
    "petabytes.safetensors": safetensors("F32", [10**9, 10**9]),
    "overflow.safetensors": safetensors("F32", [2**63, 2]),
    "unknown.safetensors": safetensors("F8_E4M3", [1, 4]),
    "header.safetensors": struct.pack("<Q", 2**60) + b"{}",
    "footer.parquet": b"PAR1" + bytes(100) + struct.pack("<I", 2**31) + b"PAR1",
    "zip.npz": b"PK\x05\x06" + bytes(18),
}


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_vector_file_is_refused_whole_and_by_blocks(name, tmp_path):
    (tmp_path / name).write_bytes(FILES[name])

    with pytest.raises(VectorsError, match=name):
        read_vectors(tmp_path / name)
    with pytest.raises(VectorsError, match=name):
        list(vector_blocks(tmp_path / name))


def test_statistics_that_ask_for_petabytes_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("mean.npy", array("(1000000000000, 512)"))
        archive.writestr("about.npy", array("(1000000000000, 512)"))

    with pytest.raises(VectorsError, match=r"a\.npz: cannot be read"):
        read_statistics(tmp_path / "a.npz")
