import torch

from synth.training.augmentation.draws import Draws


def test_a_name_s_numbers_follow_from_seed_step_and_rank_alone():
    draws = Draws(64, 1, 2, 3)
    draws.uniform("something else")

    assert torch.equal(draws.uniform("angle"), Draws(64, 1, 2, 3).uniform("angle"))
    for other in (Draws(64, 2, 2, 3), Draws(64, 1, 3, 3), Draws(64, 1, 2, 4)):
        assert not torch.equal(draws.uniform("angle"), other.uniform("angle"))


def test_names_are_independent():
    draws = Draws(4000, 0, 0)

    both = torch.stack([draws.uniform("a"), draws.uniform("b")])

    assert abs(torch.corrcoef(both)[0, 1]) < 0.06


def test_the_global_generator_is_left_alone():
    before = torch.random.get_rng_state()

    Draws(8, 0, 0).around("a", 1.0)

    assert torch.equal(before, torch.random.get_rng_state())


def test_numbers_around_zero_keep_to_their_limit_and_choices_to_their_probability():
    draws = Draws(4000, 0, 0)

    assert draws.around("a", 0.3).abs().max() <= 0.3
    assert abs(draws.around("a", 0.3).mean()) < 0.02
    assert abs(draws.chosen("b", 0.2).float().mean() - 0.2) < 0.03
    assert not draws.chosen("b", 0.0).any()
    assert draws.chosen("b", 1.0).all()
