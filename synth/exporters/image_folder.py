"""A folder of images by label, with lists of them: what ImageFolder loaders, TFace and FaceX-Zoo read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from synth.dataset_folders.image_lists import list_line, listed, read_list
from synth.dataset_folders.labels import write_labels
from synth.dataset_folders.links import link_file, link_tables, require_shards
from synth.exporters.base import PLACE, Card, Exporter, Sample
from synth.shards.commit import replace_directory

_TFACE, _FACEX = "index_tface.txt", "list_facex.txt"


class ImageFolderExporter(Exporter):
    """Image files `images/00000012/00000034_0007.jpg`, a folder a label; images pass through byte for byte.

    Labels have eight digits, so that loaders which number the folders themselves find ours. A file an image is slow to
    copy, list and delete: for more than about a million images another format serves better.
    """

    def write_shard(self, samples: Iterable[Sample], shard: int, out: Path) -> None:
        """Writes the images and the list of their paths and labels into `out`.

        Raises:
            ValueError: there are no samples; a key was used twice or does not fit into a path; extensions differ; or
                a label has more than eight digits.
        """
        with (out / _TFACE).open("w", encoding="ascii") as paths:
            for path, sample in listed(samples, shard):
                target = out / path
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    with target.open("xb") as file:
                        file.write(sample.image)
                except FileExistsError:
                    raise ValueError(f"sample {sample.key}: its key was used twice") from None
                paths.write(list_line(path, sample.label))

    def assemble(self, shards: Sequence[Path], dataset: Path, card: Card) -> None:
        """Makes the dataset folder: links to all images, lists, labels, tables and card.

        Args:
            shards: committed export shard directories, in order.
            dataset: the folder to make; an existing one is replaced as a whole.
            card: becomes README.md; its front matter gets `configs`, which keeps loaders to the images.

        Raises:
            ShardError: a shard lacks a file, two hold the same one, or labels have gaps.
        """
        require_shards(shards, dataset)
        with replace_directory(dataset) as folder:
            link_tables(shards, folder)
            write_labels(shards, folder)
            with (folder / _TFACE).open("w") as for_tface, (folder / _FACEX).open("w") as for_facex:
                for shard in shards:
                    for path, label in read_list(shard / _TFACE):
                        link_file(shard / path, folder / path)
                        for_tface.write(list_line(path, label))
                        for_facex.write(f"{path} {label}\n")
            images = {"config_name": "default", "data_files": [{"split": "train", "path": "images/**"}]}
            layout = {"configs": [images | {"drop_labels": False}]}
            (folder / "README.md").write_text(card.render(layout), encoding="utf-8")

    def loading(self) -> str:
        """Returns the words of the card about folders and lists."""
        return (
            "`images/` has a folder for each label, named by it with eight digits: sorted as text or as numbers, "
            "the n-th folder is label n.\n\n"
            "```python\n"
            "from datasets import load_dataset\n\n"
            f'faces = load_dataset("{PLACE}", split="train")\n'
            "```\n\n"
            f'- torchvision: `ImageFolder("{PLACE}/images")`; AdaFace and face.evoLVe look for a folder '
            "`imgs`: rename `images` or link to it\n"
            "- TFace: `index_tface.txt` is an index of the form path, tab, label; this folder is its root of images\n"
            "- FaceX-Zoo: `list_facex.txt` likewise, with a space between path and label\n\n"
            "Both lists are in shuffled order. `labels.json` says which identity a label stands for. "
            "`samples-*.parquet` hold all that was measured about the samples, embeddings included, in the same order."
        )
