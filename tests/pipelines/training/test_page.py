import json
import re

from pipelines.training.folder import TrainingFolder
from pipelines.training.page import write_page
from tests.pipelines.training.small_training import small_config


def test_negative_losses_are_drawn_where_they_are(tmp_path):
    folder = TrainingFolder(tmp_path / "training")
    folder.root.mkdir()
    folder.begin(
        {
            "config": small_config(tmp_path, "data").model_dump(mode="json"),
            "dataset": {"images": 60, "identities": 10, "index": None},
        }
    )
    lines = [{"step": step, "loss": -step, "seconds": 1.0, "cpu_seconds": 1.0} for step in (2, 4, 6)]
    folder.log.write_text("".join(json.dumps(line) + "\n" for line in lines))

    write_page(folder)

    (line,) = re.findall(r'<path class="line[^>]* d="M([^"]+)"', folder.page.read_text())
    heights = [float(point.split()[1]) for point in line.split("L")]
    assert heights == sorted(set(heights)), "each step is below the one before"
