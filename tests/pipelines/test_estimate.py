from pipelines.config import load_config, parse_config
from pipelines.estimate import estimate
from pipelines.run_directory import RunDirectory
from tests.toy import CONFIG, ROOT, STAGES, run_toy


def test_the_plan_of_a_new_run(tmp_path):
    plan = estimate(parse_config(CONFIG, "toy.yaml"), RunDirectory(tmp_path / "run"))

    assert [(stage.name, stage.tasks, stage.committed) for stage in plan] == [
        ("sample", 1, 0),
        ("generate", 4, 0),
        ("measure", 4, 0),
        ("select", 1, 0),
        ("export", 3, 0),
    ]
    assert plan[1].amount == "60 images"
    assert plan[4].amount == "at most 40 samples"


def test_what_is_committed_shows_and_sizes_have_the_right_order(tmp_path):
    text = CONFIG.replace("per_identity: 6", "per_identity: 30").replace("count: 10", "count: 20")
    run, _ = run_toy(tmp_path / "run", text=text)

    plan = {stage.name: stage for stage in estimate(parse_config(text, "toy.yaml"), run)}

    assert [plan[name].committed for name in STAGES] == [1, 7, 7, 1, 6]
    for name in ("generate", "measure"):
        real = sum(path.stat().st_size for path in run.stage(name).rglob("*") if path.is_file())
        assert real / 4 < plan[name].size < real * 4


def test_png_takes_more_room_than_jpeg(tmp_path):
    run = RunDirectory(tmp_path / "run")

    jpeg = estimate(parse_config(CONFIG, "a"), run)[1].size
    png = estimate(parse_config(CONFIG, "a", ["images.encoding=png"]), run)[1].size

    assert png > jpeg


def test_a_format_that_copies_images_takes_their_room_twice(tmp_path):
    run = RunDirectory(tmp_path / "run")

    linked = estimate(parse_config(CONFIG, "a"), run)[4].size
    copied = estimate(parse_config(CONFIG, "a", ["export.type=record_io"]), run)[4].size

    assert copied == linked + 40 * int(0.6 * 112**2)


def test_pictures_of_published_weights_take_the_room_of_their_size(tmp_path):
    def bytes_a_picture(name):
        generate = estimate(load_config(ROOT / "configs" / f"{name}.yaml"), RunDirectory(tmp_path / name))[1]
        return generate.size / int(generate.amount.split()[0].replace(",", ""))

    assert bytes_a_picture("vec2face_10m") < bytes_a_picture("idiff_500k") < bytes_a_picture("arc2face_500k") / 8
