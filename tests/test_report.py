import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from fake_run import TINY, make_run
from matplotlib.figure import Figure

from rig.errors import RunError
from rig.presets import find_preset
from rig.report.lines import Line, smoothed
from rig.report.page import page, write_report
from rig.report.plots import SIZE_IN, Plot, draw, to_svg
from rig.report.run_facts import MINUTES, STEPS, read_facts
from rig.report.sections import evenly_spaced
from rig.runs.settings import preset_of


VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Reads a page, and fails at tags that do not match."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.links, self.ids, self.text = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(html):
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader


@pytest.fixture
def runs(tmp_path):
    second = replace(TINY, seed=7)
    return [make_run(tmp_path / "first"), make_run(tmp_path / "second", second)]


def report_of(*runs):
    return page(read_facts([run.directory for run in runs]))


def test_page_needs_nothing_but_itself(runs):
    html = report_of(*runs)
    reader = read(html)
    assert "http" not in html
    assert {"script", "link", "iframe", "object"}.isdisjoint(reader.tags)
    assert all(link.startswith(("data:", "#")) for link in reader.links)


def test_links_within_the_page_have_a_target(runs):
    reader = read(report_of(*runs))
    assert {link[1:] for link in reader.links if link[0] == "#"} <= set(reader.ids)


def test_headline_is_the_evaluation_next_to_the_no_op_policy(runs):
    html = report_of(runs[0])
    assert '<div class="number">1.2 cm</div>' in html
    assert "over 2 goal images; no-op policy: 16.0 cm" in html
    assert '<div class="number">3 min 0 s</div>' in html


def test_several_runs_are_one_table_and_one_legend(runs):
    html = report_of(*runs)
    rows = re.findall(r"<tr><td>(first|second)</td><td>hand</td><td>([\d.]+)</td>", html)
    assert rows == [("first", "1.2"), ("second", "1.2")]
    for name in ("first", "second"):
        assert re.search(rf"<text[^>]*>{name}</text>", html)


def test_settings_that_differ_are_marked(runs):
    assert re.findall(r'class="marked"><td>(\w+)<', report_of(*runs)) == ["seed"]


def test_every_image_of_a_run_is_shown(runs):
    captions = read(report_of(runs[0]))
    assert captions.tags.count("img") == 5
    assert "After 2,000 steps: imagined goals, and where practice ended." in captions.text


def test_images_of_older_runs_are_shown(runs):
    before = report_of(runs[0])
    runs[0].images.rename(runs[0].directory / "pictures")
    assert report_of(runs[0]) == before


def test_video_of_a_run_is_shown_if_it_is_there(runs):
    (runs[0].directory / "reach.mp4").write_bytes(b"mp4")
    assert 'src="data:video/mp4;base64,bXA0"' in report_of(runs[0])


def test_text_is_escaped(tmp_path):
    run = make_run(tmp_path / "a<b>&$c")
    html = report_of(run, make_run(tmp_path / "other"))
    read(html)
    assert "a&lt;b&gt;&amp;$c" in html
    assert "<b>" not in html


def test_reward_that_a_run_chose_is_said_with_its_reason(tmp_path):
    run = make_run(tmp_path / "run")
    assert "Its reward" not in " ".join(read(report_of(run)).text)
    run.log({"num_env_steps": 0.0, "reward/near_share": 0.24})
    share = "24% of imagined goals that move one of its things"
    assert f"Its reward is sparse, as practice came near {share}." in " ".join(
        read(report_of(run)).text
    )
    run.log({"num_env_steps": 0.0, "reward/near_share": 0.24, "reward/num_rewards": 3.0})
    reason = "Its reward is sqrt_distance, as it is the mean of 3 rewards, one for each thing."
    assert reason in " ".join(read(report_of(run)).text)
    for steps, words in [(1.0, "one step"), (3.0, "3 steps")]:
        run.log({"num_env_steps": 0.0, "td3/gamma": 0.98, "td3/n_steps": steps})
        horizon = f"Its discount is 0.98, and its returns are of {words}."
        assert f"{reason} {horizon}" in " ".join(read(report_of(run)).text)


def test_run_that_has_only_begun_is_shown_as_such(tmp_path):
    run = make_run(tmp_path / "run")
    for path in (*run.images.iterdir(), run.directory / "metrics.jsonl"):
        path.unlink()
    (run.directory / "evaluation.json").unlink()
    assert "in progress" in read(report_of(run)).text


def test_directory_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError, match="is not a run"):
        write_report(tmp_path / "report.html", [tmp_path])
    assert list(tmp_path.iterdir()) == []


def test_runs_of_one_name_are_labelled_by_path(tmp_path):
    for parent in ("a", "b"):
        make_run(tmp_path / parent / "run")
    facts = read_facts([tmp_path / "a" / "run", tmp_path / "b" / "run"])
    assert [one.label for one in facts] == [str(one.run.directory) for one in facts]


def test_training_time_leaves_evaluation_out(runs):
    (facts,) = read_facts([runs[0].directory])
    line = facts.line(MINUTES, "eval/hand_distance_m", 100.0)
    np.testing.assert_allclose(line.x, [1, 2, 3])
    np.testing.assert_allclose(line.y, [8, 4, 8 / 3])
    np.testing.assert_allclose(facts.line(STEPS, "td3/critic_loss").x, [1000, 2000, 3000])


def test_a_metric_that_was_never_measured_has_no_points(runs):
    (facts,) = read_facts([runs[0].directory])
    assert len(facts.line(STEPS, "eval/puck_distance_m").x) == 0


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (find_preset("paper", "Reach"), "paper preset"),
        (replace(find_preset("fast", "Push"), seed=3), "fast preset"),
        (replace(find_preset("fast", "Reach"), num_envs=5), "fast preset with num_envs 5"),
    ],
)
def test_nearest_preset_is_named_with_its_changes(config, text):
    assert preset_of(config) == text


def test_first_and_last_grids_are_always_shown(tmp_path):
    paths = [tmp_path / str(index) for index in range(9)]
    assert [path.name for path in evenly_spaced(paths, 3)] == ["0", "4", "8"]
    assert evenly_spaced(paths[:1], 3) == paths[:1]
    assert evenly_spaced([], 3) == []


def test_smoothing_takes_means_of_neighbours():
    assert smoothed([1.0, 3.0, 5.0, 7.0], most=2).tolist() == [2, 6]
    assert smoothed([1.0, 3.0]).tolist() == [1, 3]


def test_lines_differ_in_colour_and_in_stroke():
    lines = [Line(label=f"run {i}", x=np.arange(3.0), y=np.arange(3.0) + i) for i in range(4)]
    svg = to_svg(Plot(title="t", x_label="x", y_label="y", lines=lines))
    strokes = re.findall(r'style="fill: none;( stroke-dasharray[^"]*)?[^"]*stroke: (#\w+)', svg)
    assert len({colour for _, colour in strokes}) == 4
    assert svg.count("stroke-dasharray") >= 3


@pytest.mark.parametrize(
    ("x", "y"),
    [([4000], [15.7]), ([2000, 4000], [15.8, 15.7]), ([400, 2000, 4000], [15, 6, 2])],
)
def test_the_label_of_the_no_op_policys_level_covers_no_point(x, y):
    line = Line(label="policy", x=np.array(x, float), y=np.array(y, float))
    plot = Plot(title="", x_label="", lines=[line], level=16.0, level_label="no-op policy")
    figure = Figure(figsize=SIZE_IN, layout="constrained")
    axes = figure.add_subplot()
    draw(axes, replace(plot, is_log=True))
    figure.draw_without_rendering()
    (label,) = axes.texts
    points = axes.transData.transform(np.stack([line.x, line.y], axis=1))
    box = label.get_window_extent().padded(3)
    assert not any(box.contains(*point) for point in points)


@pytest.mark.parametrize("value", [0.5, 4.9, 300.0])
def test_line_that_stays_at_the_no_op_policys_level_can_be_drawn(value):
    line = Line(label="still", x=np.array([400.0, 1000.0]), y=np.array([value, value]))
    plot = Plot(title="", x_label="", y_label="", lines=[line], level=value, is_log=True)
    assert to_svg(plot).startswith("<svg")


def test_angle_is_shown_in_radians(tmp_path):
    run = make_run(tmp_path / "door", replace(TINY, task="Door"))
    door = {"median": 0.0312, "mean": 0.05, "std": 0.01, "do_nothing_median": 0.415}
    run.save_evaluation(run.evaluation() | {"distances": {"door_rad": door}})
    for steps, left_rad in ((3000, 0.4), (4000, 0.0312)):
        run.log({"num_env_steps": steps, "eval/door_distance_rad": left_rad})
    run.log({"num_env_steps": 4000, "probe/door_rad": 0.021})
    html = report_of(run)
    assert "0.031 rad" in html
    assert "no-op policy: 0.415 rad" in html
    assert "door: distance from its goal, rad" in html
    assert "door: error of a probe of the latents, rad" in html


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ({"num_episodes": "many"}, "num_episodes = 'many'"),
        ({"distances": {"hand_m": {}}}, "median = None"),
        ({"distances": {"hand_m": 3}}, "median = None"),
        ({"distances": [1, 2]}, "median = None"),
    ],
)
def test_damaged_evaluation_is_one_clear_line(tmp_path, damage, named):
    run = make_run(tmp_path / "run")
    run.save_evaluation(run.evaluation() | damage)
    with pytest.raises(RunError, match=named):
        read_facts([run.directory])
