import base64
import io
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from pipelines.report import write_report
from synth.errors import RunError, ShardError
from synth.images import TRAINED_ALGORITHMIC_MEDIA, provenance
from synth.shards.table import read_table, write_table
from tests.pipelines.pages import CHROMIUM, Page, chromium
from tests.pipelines.small_run import make_run


def test_counts_on_the_page_are_those_of_the_tables(tmp_path):
    run = make_run(tmp_path / "run", identities=6, per_identity=8)

    page = Page(write_report(run))

    table = read_table(run / "select" / "000000" / "decisions.parquet")
    kept = int(table["kept"].sum())
    assert page.by_id["candidates"] == str(len(table["kept"])) == "48"
    assert page.by_id["kept"] == str(kept)
    assert page.by_id["keep-rate"] == f"{100 * kept / 48:.1f} %"
    assert page.by_id["kept-identities"] == "6 of 6"


def test_filter_rows_count_what_the_tables_say(tmp_path):
    run = make_run(tmp_path / "run", identities=6, per_identity=8)

    page = Page(write_report(run))

    table = read_table(run / "select" / "000000" / "decisions.parquet")
    dropped = int((table["dropped_by"] == "detection").sum())
    passed = float((table["detection"] >= 0.5).mean())
    assert page.row("detection") == ["detection", "at least 0.5", f"{100 * passed:.1f} %", str(dropped), "1"]
    assert page.row("resolution")[1] == "none"


def test_speed_is_the_sum_of_the_shard_records(tmp_path):
    run = make_run(tmp_path / "run", identities=6, per_identity=8, identities_per_shard=2)

    page = Page(write_report(run))

    assert page.row("generate") == ["generate", "3", "48 images", "6.0", "4.5", "8.0"]


def test_each_picture_decodes_has_words_and_carries_the_synthetic_mark(tmp_path):
    page = Page(write_report(make_run(tmp_path / "run")))

    assert len(page.images) > 10
    for image in page.images:
        kind, _, data = str(image["src"]).partition(",")
        decoded = base64.b64decode(data, validate=True)
        assert kind == "data:image/jpeg;base64"
        assert Image.open(io.BytesIO(decoded)).size == (112, 112)
        assert provenance(decoded) == TRAINED_ALGORITHMIC_MEDIA
        assert re.fullmatch(r"(Kept|Dropped) sample \d+ of identity \d+.*", str(image["alt"]))


def test_page_shows_kept_samples_under_kept_and_dropped_ones_with_their_number(tmp_path):
    run = make_run(tmp_path / "run", identities=3, per_identity=6)

    page = Page(write_report(run))

    table = read_table(run / "select" / "000000" / "decisions.parquet")
    kept = {(i, k) for i, k, yes in zip(table["identity"], table["index"], table["kept"], strict=True) if yes}
    texts = [str(image["alt"]) for image in page.images]
    shown = {tuple(map(int, re.findall(r"\d+", text)[1::-1])) for text in texts if text.startswith("Kept")}
    assert shown == kept
    dropped = int(np.flatnonzero(table["dropped_by"] == "detection")[1])
    number = table["detection"][dropped]
    assert f"Dropped sample {table['index'][dropped]} of identity 0: detection {number:.3g}" in texts
    assert "Dropped sample 0 of identity 1: detection no number" in texts


def test_page_needs_nothing_but_itself(tmp_path):
    page = Page(write_report(make_run(tmp_path / "run")))

    assert "script" not in page.tags
    assert all(address.startswith(("data:", "#")) for address in page.addresses)


def test_same_run_gives_the_same_bytes(tmp_path):
    run = make_run(tmp_path / "run")
    first = write_report(run).read_bytes()
    sheet = (run / "report" / "contact_sheet.jpg").read_bytes()

    second = write_report(run).read_bytes()

    assert second == first
    assert (run / "report" / "contact_sheet.jpg").read_bytes() == sheet


def test_pairs_on_the_page_are_all_pairs_of_a_small_run(tmp_path):
    run = make_run(tmp_path / "run", identities=3, per_identity=6, min_score=None)

    text = write_report(run).read_text()

    assert "<dt>Genuine pairs</dt><dd>45</dd>" in text
    assert "<dt>Impostor pairs</dt><dd>108</dd>" in text


def test_truth_columns_become_charts_and_bars_and_landmarks_are_left_out(tmp_path):
    text = write_report(make_run(tmp_path / "run")).read_text()

    assert "Histogram of yaw degrees over" in text
    assert "<span>frown</span>" in text
    assert "landmarks" not in text


def test_run_without_truth_columns_has_no_attributes(tmp_path):
    text = write_report(make_run(tmp_path / "run", with_truth=False)).read_text()

    assert 'id="attributes"' not in text


def test_run_that_dropped_nothing_says_so(tmp_path):
    text = write_report(make_run(tmp_path / "run", min_score=None)).read_text()

    assert "Nothing was dropped" in text


def test_run_that_kept_nothing_still_reports(tmp_path):
    run = make_run(tmp_path / "run", min_score=2.0)

    page = Page(write_report(run))

    assert page.by_id["kept"] == "0"
    assert page.by_id["kept-identities"] == "0 of 6"
    assert "Nothing was kept" in (run / "report" / "index.html").read_text()
    assert all(str(image["alt"]).startswith("Dropped") for image in page.images)


def test_names_from_the_configuration_are_escaped(tmp_path):
    run = make_run(tmp_path / "run")
    path = run / "run.json"
    path.write_text(path.read_text().replace('"painted"', '"<script>alert(1)</script>"'))

    page = Page(write_report(run))

    assert "script" not in page.tags


def test_contact_sheet_has_identities_as_rows_and_samples_as_columns(tmp_path):
    run = make_run(tmp_path / "run", identities=3, per_identity=5, min_score=None)
    write_report(run)
    data = (run / "report" / "contact_sheet.jpg").read_bytes()

    sheet = np.asarray(Image.open(io.BytesIO(data)))

    assert sheet.shape == (3 * 128, 5 * 128, 3)
    assert provenance(data) == TRAINED_ALGORITHMIC_MEDIA
    centres = sheet[64::128, 64::128].astype(int)
    assert np.ptp(centres[:, :, 0], axis=0).min() > 40, "rows differ in the identity's colour"
    assert np.ptp(centres[:, :3], axis=1).max() < 10, "a row keeps it"


def test_directory_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError, match=r"run\.json"):
        write_report(tmp_path)


def test_run_without_selection_is_refused(tmp_path):
    run = make_run(tmp_path / "run")
    shutil.rmtree(run / "select")

    with pytest.raises(RunError, match="finish the run first"):
        write_report(run)


def test_decisions_on_samples_that_no_shard_holds_are_refused(tmp_path):
    run = make_run(tmp_path / "run", min_score=None)
    path = run / "generate" / "000000" / "samples.parquet"
    table = read_table(path)
    write_table(path, {name: column[:-1] for name, column in table.items()})

    with pytest.raises(RunError, match="synth verify"):
        write_report(run)


def test_cut_off_image_file_is_refused(tmp_path):
    run = make_run(tmp_path / "run")
    path = run / "generate" / "000000" / "images.tar"
    path.write_bytes(path.read_bytes()[:2000])

    with pytest.raises(ShardError, match=r"images\.tar"):
        write_report(run)


def test_page_size_does_not_grow_with_the_number_of_identities(tmp_path):
    small = write_report(make_run(tmp_path / "small", identities=26, per_identity=10)).stat().st_size
    large = write_report(make_run(tmp_path / "large", identities=78, per_identity=10)).stat().st_size

    assert large < 1.05 * small


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome is installed")
def test_browser_loads_every_picture_of_the_page(tmp_path):
    page = write_report(make_run(tmp_path / "run"))
    wrapper = tmp_path / "wrapper.html"
    count = "[...document.images].filter(image => image.complete && image.naturalWidth === 112).length"
    script = f"<script>window.onload = () => document.documentElement.dataset.loaded = {count}</script>"
    wrapper.write_text(page.read_text().replace("</body>", f"{script}</body>"))

    document = chromium(wrapper, tmp_path, "--dump-dom")

    assert f'data-loaded="{len(Page(page).images)}"' in document


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome is installed")
@pytest.mark.parametrize("width", [1200, 500])
def test_browser_paints_faces_and_nothing_sticks_out(tmp_path, width):
    page = write_report(make_run(tmp_path / "run"))
    wrapper = tmp_path / "wrapper.html"
    script = (
        "<script>window.onload = () => document.documentElement.dataset.sticksOut ="
        " document.documentElement.scrollWidth > window.innerWidth</script>"
    )
    wrapper.write_text(page.read_text().replace("</body>", f"{script}</body>"))
    picture = tmp_path / "page.png"

    chromium(page, tmp_path, f"--screenshot={picture}", f"--window-size={width},1600")
    document = chromium(wrapper, tmp_path, f"--window-size={width},1600", "--dump-dom")

    painted = np.asarray(Image.open(picture).convert("RGB")).astype(int)
    coloured = np.abs(painted - np.array([60, 120, 220])).max(axis=2) < 12
    assert painted.shape[1] == width
    assert coloured.sum() > 2000, "the faces of identity 0 are on the page"
    assert 'data-sticks-out="false"' in document
