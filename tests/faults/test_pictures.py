"""Pictures that harm, through everything that decodes; damaged and cut ones are in tests/synth/test_images.py."""

import resource
import time

import numpy as np
import pytest

from synth.images import MAX_PIXELS, decode_image, image_size, provenance, refuse_huge
from synth.recognisers.yunet_sface import YunetSface
from synth.training.decoding import decode_into, size_of
from tests.faults.pictures import bombs, jpeg, odd, unreadable


@pytest.mark.parametrize("name", bombs())
def test_a_decompression_bomb_is_refused_before_it_goes_off(name):
    data, started = bombs()[name], time.process_time()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    for read in (decode_image, image_size, provenance, size_of):
        with pytest.raises(ValueError, match=r"px|pixels|too large"):
            read(data)

    assert time.process_time() - started < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


def test_a_batch_is_not_filled_from_a_bomb():
    batch = np.zeros((112, 112, 3), dtype=np.uint8)

    for data in bombs().values():
        with pytest.raises(ValueError):  # noqa: PT011
            decode_into(data, batch)


def test_the_largest_picture_that_is_read_is_said():
    refuse_huge(8192, 8192)

    with pytest.raises(ValueError, match=rf"an image of 8193x8192 px; at most {MAX_PIXELS} px are read"):
        image_size(jpeg(8193, 8192))


@pytest.mark.parametrize("name", unreadable())
def test_what_is_no_picture_of_ours_is_refused_without_an_address_in_memory(name):
    with pytest.raises(ValueError, match=r"no JPEG, PNG or WebP image$|only up to 8 bits a channel"):
        decode_image(unreadable()[name])


@pytest.mark.parametrize("name", odd())
def test_an_odd_picture_is_decoded_and_no_face_is_found_in_it(name):
    image = decode_image(odd()[name])

    assert image.dtype == np.uint8
    assert not YunetSface().recognise(image[None]).found.any()
