from pipelines.reporting.component_facts import component_type, filter_unit, image_license, truth_units


def test_classes_tell_units_and_licences():
    assert filter_unit("sharpness") == "grey levels squared"
    assert image_license("tests.fakes.PaintedVector") == "cc0-1.0"
    assert truth_units("tests.fakes.PaintedVector")["yaw"] == "degrees"


def test_components_that_are_not_installed_are_left_without_facts():
    assert filter_unit("no_such_lab.blur") == ""
    assert image_license("") == ""
    assert truth_units("no_such_generator") == {}


def test_type_is_read_from_the_configuration():
    assert component_type({"generator": {"type": "rendered"}}, "generator") == "rendered"
    assert component_type({}, "generator") == ""
