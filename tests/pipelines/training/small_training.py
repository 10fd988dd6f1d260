"""A training of seconds on a painted dataset."""

from pipelines.training.config import load_train_config

CONFIG = """\
seed: 3
data: {{dataset: {dataset}, held_out_identities: 4}}
backbone: {{type: small, width: 4, input_size: 16, embedding_size: 16}}
head: {{type: cosface, scale: 16.0}}
recipe: {{steps: 8, batch_size: 12, log_every: 2, validate_every: 4, checkpoint_every: 4, warmup_steps: 2}}
"""


def write_config(folder, dataset):
    """Writes train.yaml; returns its path."""
    path = folder / "train.yaml"
    path.write_text(CONFIG.format(dataset=dataset))
    return path


def small_config(folder, dataset, *overrides):
    """Returns the checked configuration."""
    return load_train_config(write_config(folder, dataset), overrides)
