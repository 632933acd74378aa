import pytest

from rig.lab.units import in_words, split


def test_lengths_are_shown_in_centimetres_and_angles_in_radians():
    assert in_words("puck_m", 0.0123) == "1.2 cm"
    assert in_words("door_rad", 0.0312) == "0.031 rad"


@pytest.mark.parametrize(("name", "thing"), [("puck_1_m", "puck_1"), ("door_rad", "door")])
def test_thing_is_what_stands_before_the_unit(name, thing):
    assert split(name)[0] == thing


def test_what_has_no_unit_is_shown_as_it_is():
    assert in_words("success", 0.5) == "0.500"
    assert split("goal_reached")[0] == "goal_reached"
