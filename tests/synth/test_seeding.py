import hashlib

import numpy as np

from synth.seeding import hash_order, sample_seed, sample_seeds


def test_seeds_are_the_same_in_every_version():
    assert sample_seed(7, "generate", 3, 5) == 3_238_485_386_923_020_682
    assert sample_seed(0, "sample") == 2_454_421_176_976_838_069


def test_seeds_differ_in_each_of_their_four_values_and_fit_63_bits():
    seeds = [
        sample_seed(run, stream, identity, index)
        for run in range(4)
        for stream in ("generate", "measure")
        for identity in range(4)
        for index in range(4)
    ]

    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_seeds_of_a_batch_are_those_of_its_rows():
    seeds = sample_seeds(7, "generate", np.array([3, 3, 10**9]), np.array([5, 6, 0], dtype=np.int32))

    assert seeds.dtype == np.uint64
    assert seeds.tolist() == [sample_seed(7, "generate", *row) for row in ((3, 5), (3, 6), (10**9, 0))]


def test_the_hash_order_is_a_permutation_that_the_salt_decides():
    keys = [f"{number:08d}_0000" for number in range(100)]

    order = hash_order(keys, "a")

    assert sorted(order.tolist()) == list(range(100))
    assert order.tolist() != list(range(100))
    assert order.tolist() != hash_order(keys, "b").tolist()
    assert hash_order(["b", "a", "c"]).tolist() == [0, 1, 2]
    assert hash_order([]).tolist() == []


def test_the_hash_order_depends_on_the_keys_and_not_on_where_they_stand():
    keys = [f"{number:08d}_0000" for number in range(100)]

    forwards = [keys[at] for at in hash_order(keys)]
    backwards = [keys[::-1][at] for at in hash_order(keys[::-1])]

    assert forwards == backwards


def test_the_hash_order_counts_all_bytes_of_a_hash():
    keys = [f"{number:08d}_0000" for number in range(3000)]
    digests = [hashlib.blake2b(f"a/{key}".encode(), digest_size=8).digest() for key in keys]
    assert any(digest.endswith(b"\0") for digest in digests)

    order = hash_order(iter(keys), "a")

    assert order.tolist() == sorted(range(3000), key=lambda at: int.from_bytes(digests[at], "little"))
