"""Every input that the fuzzer starts from, and every one that it found and is kept, in every run of the tests."""

import pytest

from tests.soak.fuzz_corpus import FOLDER, corpus_file, kept
from tests.soak.fuzz_foreign import AUTHENTIC_MARK
from tests.soak.fuzz_own import CONTENTS
from tests.soak.fuzz_target import milliseconds
from tests.soak.fuzz_targets import targets
from tests.soak.fuzz_token import content_of, mutate, sealed

MOST_BYTES = 200_000
# The one vector of each holds half a surrogate pair, which a session of ours cannot.
REJECTED_AT_LAST = {"Iron, aes-128-ctr", "ClientSessions, aes192, sha384-drop192"}


@pytest.mark.parametrize("target", targets().values(), ids=list(targets()))
def test_nothing_but_a_rejection_comes_out_of_any_input(target):
    for data in [*target.seeds, *kept(target.name)]:
        milliseconds(target, data)


@pytest.mark.parametrize("target", targets().values(), ids=list(targets()))
def test_the_fuzzer_starts_from_sessions_that_are_read(target):
    read = any(target.run(data) for data in target.seeds)
    assert read is (target.name not in REJECTED_AT_LAST)


def test_content_that_is_made_authentic_is_read_by_every_format():
    inside = [target for target in targets().values() if any(map(_is_content, target.seeds))]
    assert len(inside) == 21
    for target in inside:
        assert any(target.run(data) for data in target.seeds if _is_content(data)), target.name


def test_a_mutated_token_keeps_a_tag_that_is_right():
    token = sealed(CONTENTS[0])
    other = mutate(token, 13_000, 1, lambda content, _longest: content.replace(b"{}", b"[]"))
    assert content_of(other) == CONTENTS[0].replace(b"{}", b"[]")
    assert mutate(b"no token", 13_000, 1, lambda data, _longest: data.upper()) == b"NO TOKEN"


def test_every_kept_file_is_of_a_target_and_all_are_small():
    files = set(FOLDER.iterdir())
    assert files <= {corpus_file(name) for name in targets()}
    assert sum(file.stat().st_size for file in files) < MOST_BYTES


def _is_content(data):
    return data.startswith(AUTHENTIC_MARK)
