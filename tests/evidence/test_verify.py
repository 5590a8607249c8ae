"""One changed byte is found and named, wherever it is; so is a figure that is not the tables'."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sanilens.errors import RunError
from sanilens.evidence.bundle import EVIDENCE, FORMATS, REPORT, RUN
from sanilens.evidence.digests import SEAL, SIGNATURE, file_digests, seal
from sanilens.evidence.evidence import read_evidence
from sanilens.evidence.export import export
from sanilens.evidence.replay import replay
from sanilens.evidence.signing import sign
from sanilens.evidence.verify import Check, failed, verify
from sanilens.runs.folder import RunFolder
from tests.evidence.conftest import STATED


def outcomes(checks: list[Check]) -> dict[str, str]:
    return {each.what: each.outcome for each in checks}


@contextmanager
def flipped(path: Path, at: int, to: int) -> Iterator[None]:
    """One byte of a file is another meanwhile."""
    content = path.read_bytes()
    path.write_bytes(content[:at] + bytes([to]) + content[at + 1 :])
    try:
        yield
    finally:
        path.write_bytes(content)


def random_flips(folder: Path, count: int, seed: int) -> Iterator[tuple[str, int, int]]:
    """File, place and another byte; every file comes first, then files by their size."""
    draw = random.Random(seed)
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    sizes = [(folder / name).stat().st_size for name in files]
    chosen = [*files, *draw.choices(files, sizes, k=count)][:count]
    for name in chosen:
        content = (folder / name).read_bytes()
        at = draw.randrange(len(content))
        yield name, at, draw.choice([b for b in range(256) if b != content[at]])


def all_are_found(folder: Path, count: int, public: Path | None = None) -> None:
    for name, at, to in random_flips(folder, count, seed=count):
        with flipped(folder / name, at, to):
            wrong = failed(verify(folder, public))
        assert wrong, f"byte {at} of {name}"
        words = " ".join(each.words for each in wrong)
        assert Path(name).name in words, f"byte {at} of {name}: {words}"


def test_a_bundle_is_as_it_was(bundle: Path, keys: tuple[Path, Path]) -> None:
    found = verify(bundle, keys[1])
    assert set(outcomes(found).values()) == {"as it was"}, found
    assert {"digests", "signature", "run", "figures", "report", "formats"} <= outcomes(found).keys()


def test_random_bytes_of_a_bundle(bundle: Path) -> None:
    all_are_found(bundle, 40)


@pytest.mark.slow
def test_a_thousand_bytes_of_bundle_and_model(
    bundle: Path, run: RunFolder, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    all_are_found(bundle, 600)
    export(run, tmp_path / "model", STATED, keys[0])
    all_are_found(tmp_path / "model", 400, keys[1])


def test_every_byte_of_a_signature(bundle: Path, keys: tuple[Path, Path]) -> None:
    """Blanks, case, base64's spare bits: no byte of it may be another."""
    path, draw = bundle / SIGNATURE, random.Random(0)
    content = path.read_bytes()
    places = [*range(0, 40), *range(len(content) - 90, len(content)), *(
        draw.randrange(len(content)) for _ in range(20))]  # fmt: skip
    from sanilens.errors import IntegrityError
    from sanilens.evidence.signing import check_signature

    for at in places:
        with flipped(path, at, content[at] ^ 1 << draw.randrange(7)), pytest.raises(IntegrityError):
            check_signature(bundle, keys[1])


def test_missing_extra_and_linked_files_are_named(bundle: Path) -> None:
    (bundle / "bom.cdx.json").unlink()
    (bundle / "note.txt").write_text("x")
    (bundle / "model-card.md").unlink()
    (bundle / "model-card.md").symlink_to(bundle / "report.html")
    words = next(each.words for each in verify(bundle) if each.what == "digests")
    assert "bom.cdx.json is missing" in words
    assert "note.txt is extra" in words
    assert "model-card.md is a link" in words


def test_a_signature_taken_off_is_noticed(bundle: Path) -> None:
    (bundle / SIGNATURE).unlink()
    assert outcomes(verify(bundle))["signature"] == "WRONG"


def test_another_key_did_not_sign_it(bundle: Path, tmp_path: Path) -> None:
    from sanilens.evidence.signing import make_keys

    _, other = make_keys(tmp_path / "other")
    assert outcomes(verify(bundle, other))["signature"] == "WRONG"


def resealed(bundle: Path, key: Path) -> None:
    """Whoever has the key may seal and sign anything anew: figures are still the tables'."""
    (bundle / SIGNATURE).unlink()
    seal(bundle)
    sign(bundle, key)


def test_a_figure_that_is_not_the_tables(bundle: Path, keys: tuple[Path, Path]) -> None:
    said = read_evidence(bundle / EVIDENCE)
    changed = said.readings[3].model_copy(update={"hits": 0, "value": 0.25})
    readings = (*said.readings[:3], changed, *said.readings[4:])
    (bundle / EVIDENCE).write_bytes(said.model_copy(update={"readings": readings}).canonical())
    resealed(bundle, keys[0])
    wrong = {each.what: each.words for each in failed(verify(bundle, keys[1]))}
    assert changed.id in wrong["figures"]
    assert wrong.keys() == {"figures"}


def test_a_number_changed_on_the_page(bundle: Path, keys: tuple[Path, Path]) -> None:
    said = read_evidence(bundle / EVIDENCE)
    own = said.rate("after", "everyone", "all")
    assert own is not None
    page = (bundle / REPORT).read_text("utf-8")
    start = page.index(f'data-figure="{own.id}">') + len(f'data-figure="{own.id}">')
    (bundle / REPORT).write_text(page[:start] + "9" + page[start:], "utf-8")
    resealed(bundle, keys[0])
    wrong = {each.what: each.words for each in failed(verify(bundle, keys[1]))}
    assert own.id in wrong["report"]
    assert REPORT in wrong["formats"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in FORMATS if n != REPORT])
def test_every_format_is_drawn_from_the_run(
    bundle: Path, keys: tuple[Path, Path], name: str
) -> None:
    path = bundle / name
    path.write_bytes(path.read_bytes().replace(b"0", b"1", 1))
    resealed(bundle, keys[0])
    wrong = {each.what: each.words for each in failed(verify(bundle, keys[1]))}
    assert name in wrong["formats"]


def test_a_run_of_changed_events(bundle: Path, keys: tuple[Path, Path]) -> None:
    path = bundle / RUN / "events.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"measured"', b'"measurex"', 1))
    resealed(bundle, keys[0])
    assert outcomes(verify(bundle, keys[1]))["run"] == "WRONG"


def test_digests_that_name_another_byte(bundle: Path) -> None:
    """Its own hash tells that it was changed, and not the file that it names."""
    path = bundle / SEAL
    said = json.loads(path.read_bytes())
    said["files"]["report.html"] = "0" * 64
    path.write_text(json.dumps(said, sort_keys=True, separators=(",", ":")) + "\n")
    words = next(each.words for each in verify(bundle) if each.what == "digests")
    assert words == "digests.json has changed."


def test_a_run_by_itself(run: RunFolder) -> None:
    assert outcomes(verify(run.root)) == {"run": "as it was"}
    (run.model / "config.json").write_text("{}")
    assert "config.json" in failed(verify(run.root))[0].words


def test_what_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(RunError):
        verify(tmp_path / "nowhere")
    assert failed(verify(tmp_path))


@pytest.mark.slow
def test_a_stranger_checks_it_without_sanilens(bundle: Path, keys: tuple[Path, Path]) -> None:
    command = [sys.executable, "-I", str(bundle / "verify.py"), str(bundle), str(keys[1])]
    script = (bundle / "verify.py").read_text("utf-8")
    assert "import sanilens" not in script
    assert "from sanilens" not in script
    sound = subprocess.run(command, capture_output=True, text=True, check=False)
    assert sound.returncode == 0, sound.stderr
    assert "as signed" in sound.stdout
    for name in file_digests(bundle):
        with flipped(bundle / name, 40, (bundle / name).read_bytes()[40] ^ 4):
            found = subprocess.run(command, capture_output=True, text=True, check=False)
        assert found.returncode, name


@pytest.mark.slow
def test_the_plan_again_gives_the_same(bundle: Path, tmp_path: Path) -> None:
    found = replay(RunFolder(bundle / RUN), tmp_path / "again")
    assert set(outcomes(found).values()) == {"as it was"}
    assert any(each.what == "again: model" for each in found)
