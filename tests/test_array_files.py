import re

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from rig.agent.tree_files import load_tree, save_tree
from rig.errors import RunError
from rig.runs.array_files import ArraySpec, load_arrays


TREE = {
    "weights": (jnp.arange(6.0).reshape(2, 3), np.arange(4, dtype=np.int32)),
    "count": jnp.zeros((), jnp.int32) + 7,
    "name": "not an array",
    "nothing": None,
}


@pytest.fixture
def path(tmp_path):
    save_tree(tmp_path / "tree.safetensors", TREE)
    return tmp_path / "tree.safetensors"


def blank(tree):
    return jax.tree.map(lambda leaf: leaf * 0 if eqx.is_array_like(leaf) else leaf, tree)


def error_message(path, like):
    """Return the error message, which is one line."""
    with pytest.raises(RunError) as caught:
        load_tree(path, like)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def change(path, **arrays):
    """Replace arrays of the file, by the start of their names."""
    held = load_file(path)
    for start, array in arrays.items():
        (name,) = (name for name in held if name.startswith(f"['{start}']"))
        held[name] = array
    save_file({name: array for name, array in held.items() if array is not None}, path)


def test_saved_tree_is_loaded_with_its_types(path):
    loaded = load_tree(path, blank(TREE))
    jax.tree.map(np.testing.assert_array_equal, loaded, TREE)
    dtypes = [leaf.dtype.name for leaf in jax.tree.leaves(loaded) if eqx.is_array(leaf)]
    assert dtypes == ["int32", "float32", "int32"]


def test_shapes_alone_are_enough_to_load(path):
    like = eqx.filter_eval_shape(lambda: TREE)
    assert load_tree(path, like)["count"] == 7


def test_saving_again_leaves_no_temporary_file(path):
    save_tree(path, blank(TREE))
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert load_tree(path, TREE)["count"] == 0


def test_missing_file_is_refused(tmp_path):
    assert "is missing" in error_message(tmp_path / "none.safetensors", TREE)


@pytest.mark.parametrize("kept_bytes", [0, 5, 60, -1])
def test_truncated_file_is_refused(path, kept_bytes):
    path.write_bytes(path.read_bytes()[:kept_bytes])
    assert "the run is damaged" in error_message(path, TREE)


def test_file_of_another_format_is_refused(path):
    path.write_bytes(b"\x89PNG" * 100)
    assert "the run is damaged" in error_message(path, TREE)


def test_missing_array_is_named(path):
    change(path, count=None)
    assert "lacks array ['count']" in error_message(path, TREE)


def test_unexpected_array_is_named(path):
    assert "unknown array ['count']" in error_message(path, {**TREE, "count": None})


def test_array_of_another_shape_is_named(path):
    message = error_message(path, {**TREE, "count": jnp.zeros(2)})
    assert re.search(r"\['count'\] has shape \(\), .* needs \(2,\)", message)


def test_array_that_is_not_finite_is_named(path):
    tree = TREE | {"weights": (TREE["weights"][0] * jnp.nan, TREE["weights"][1])}
    save_tree(path, tree)
    assert "['weights'][0] is not finite" in error_message(path, TREE)


def test_array_of_another_type_is_named(path):
    change(path, count=np.zeros((), np.float32))
    assert "['count'] has type float32, not int32" in error_message(path, TREE)


def test_loading_compiles_nothing(tmp_path, caplog):
    like = {"a": jnp.zeros((3, 17)), "b": jnp.zeros(29)}
    save_tree(tmp_path / "tree", like)
    with jax.log_compiles():
        load_tree(tmp_path / "tree", like)
    assert [record for record in caplog.records if "ompiling" in record.getMessage()] == []


def test_a_number_that_older_versions_did_not_save_is_0(tmp_path):
    path = tmp_path / "tree.safetensors"
    save_file({"x.illumination.noise": np.ones(())}, path)
    expected = {
        f"x.illumination.{name}": ArraySpec((), np.dtype(np.float64))
        for name in ("noise", "shaking_px")
    }
    assert load_arrays(path, expected) == {
        "x.illumination.noise": 1,
        "x.illumination.shaking_px": 0,
    }
    with pytest.raises(RunError, match=r"lacks array x\.illumination\.other"):
        load_arrays(path, expected | {"x.illumination.other": ArraySpec((), np.dtype(float))})
