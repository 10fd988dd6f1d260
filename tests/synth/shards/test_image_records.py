import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.errors import ShardError
from synth.shards.image_records import pack_image, pack_labels, unpack, with_key
from synth.shards.record_io import MAGIC, encode_record

IMAGES = st.lists(st.one_of(st.just(MAGIC), st.binary(max_size=9)), max_size=9).map(b"".join)


@given(image=IMAGES, key=st.integers(0, 2**24))
@settings(max_examples=100, deadline=None)
def test_a_record_gets_another_key_as_if_it_had_been_written_with_it(image, key):
    record = encode_record(pack_image(7, 0, image))

    assert with_key(record, key) == encode_record(pack_image(7, key, image))


def test_labels_keys_and_images_are_unpacked():
    image = unpack(pack_image(7, 3, b"jpeg"))
    header = unpack(pack_labels((6, 8), 9, 1))

    assert (image.labels, image.has_list, image.key, image.second_key, image.image) == ((7.0,), False, 3, 0, b"jpeg")
    assert (header.labels, header.has_list, header.key, header.second_key, header.image) == ((6, 8), True, 9, 1, b"")


def test_labels_are_taken_as_far_as_float32_is_exact():
    assert unpack(pack_image(2**24, 0, b"")).labels == (2**24,)
    assert int(np.float32(2**24 + 1)) == 2**24

    with pytest.raises(ValueError, match=r"label 16777217: expected 0\.\.16777216: RecordIO keeps labels as float32"):
        pack_image(2**24 + 1, 0, b"")
    with pytest.raises(ValueError, match="expected 0"):
        pack_image(-1, 0, b"")
    with pytest.raises(ValueError, match="16777217"):
        pack_labels((1, 2**24 + 1), 0)


@pytest.mark.parametrize("payload", [b"", bytes(23), struct.pack("<IfQQ", 2, 0, 0, 0) + bytes(7)])
def test_a_payload_too_short_for_its_header_is_damage(payload):
    with pytest.raises(ShardError, match=f"a record of {len(payload)} bytes, its header and labels take"):
        unpack(payload)
