"""XAES-256-GCM against the specification's vectors, and the rules by which sub-keys are reused."""

import gc
import json
import os
import sys
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import shake_128
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hashes import SHAKE128, XOFHash

from fastsession.sealing.xaes import KEY_SIZE, NONCE_SIZE, TAG_SIZE, XAES256GCM

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "xaes256gcm.json").read_text())
MESSAGES = VECTORS["spec_vectors"] + VECTORS["stream_vectors"]
# FASTSESSION_LONG=1 runs the million iterations that the specification also publishes: a minute.
ITERATIONS = 1_000_000 if os.environ.get("FASTSESSION_LONG") == "1" else 10_000
HALF = NONCE_SIZE // 2
KEY = bytes(range(KEY_SIZE))


def unhex(vector, *names):
    return [bytes.fromhex(vector[name]) for name in names]


@pytest.mark.parametrize("vector", MESSAGES, ids=range(len(MESSAGES)))
def test_a_published_message_seals_to_its_ciphertext_and_opens_again(vector):
    key, nonce, plaintext, aad, ciphertext = unhex(vector, "key", "nonce", "plaintext", "aad", "ciphertext")
    cipher = XAES256GCM(key)
    assert cipher.encrypt(nonce, plaintext, aad) == ciphertext
    assert cipher.open(nonce + ciphertext, aad) == plaintext


def test_the_accumulated_messages_hash_to_the_published_digest():
    published = {result["iterations"]: result["shake128"] for result in VECTORS["accumulated"]["results"]}
    draw = XOFHash(SHAKE128(digest_size=sys.maxsize)).squeeze
    digest = shake_128()
    for _ in range(ITERATIONS):
        key, nonce = draw(KEY_SIZE), draw(NONCE_SIZE)
        plaintext = draw(draw(1)[0])
        aad = draw(draw(1)[0])
        cipher = XAES256GCM(key)
        ciphertext = cipher.encrypt(nonce, plaintext, aad)
        assert cipher.open(nonce + ciphertext, aad) == plaintext
        digest.update(ciphertext)
    assert digest.hexdigest(32) == published[ITERATIONS]


def test_every_bit_flip_and_every_truncation_of_the_base_vector_is_rejected():
    checks = VECTORS["negative_checks"]
    key, nonce, aad, ciphertext = unhex(VECTORS["spec_vectors"][1], "key", "nonce", "aad", "ciphertext")
    cipher = XAES256GCM(key)
    cipher.open(nonce + ciphertext, aad)
    changed = [(flipped, aad) for flipped in bit_flips(nonce + ciphertext)]
    changed += [(nonce + ciphertext, flipped) for flipped in bit_flips(aad)]
    changed += [(nonce + ciphertext[:size], aad) for size in range(len(ciphertext))]
    assert len(changed) == checks["count"]
    for sealed, associated_data in changed:
        with pytest.raises(InvalidTag):
            cipher.open(sealed, associated_data)


def bit_flips(data: bytes) -> Iterator[bytes]:
    for bit in range(len(data) * 8):
        yield (int.from_bytes(data) ^ 1 << bit).to_bytes(len(data))


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_size_is_refused(size):
    with pytest.raises(ValueError, match=r"^XAES-256-GCM takes a key of 32 bytes\.$"):
        XAES256GCM(bytes(size))


def test_a_sealed_message_is_its_plaintext_nonce_and_tag_long():
    assert len(XAES256GCM(KEY).seal(b"x" * 100, b"", now=0)) == NONCE_SIZE + 100 + TAG_SIZE


def test_one_sub_key_seals_65536_messages_and_no_more():
    cipher = XAES256GCM(KEY)
    halves = [cipher.seal(b"", b"", now=0)[:HALF] for _ in range(2 * 2**16 + 1)]
    first, second, third = dict.fromkeys(halves)
    assert [halves.count(half) for half in (first, second, third)] == [2**16, 2**16, 1]


@pytest.mark.parametrize(
    ("later", "same"),
    [(1000, True), (1599.9, True), (1600, False), (1601, False), (999.9, False), (0, False)],
)
def test_one_sub_key_seals_for_ten_minutes_and_never_before_it_was_made(later, same):
    cipher = XAES256GCM(KEY)
    first = cipher.seal(b"", b"", now=1000)[:HALF]
    assert (cipher.seal(b"", b"", now=later)[:HALF] == first) is same


def test_the_second_half_of_the_nonce_is_new_for_each_message():
    cipher = XAES256GCM(KEY)
    sealed = [cipher.seal(b"", b"", now=0) for _ in range(10_000)]
    assert len({message[HALF:NONCE_SIZE] for message in sealed}) == len(sealed)


def test_forged_messages_leave_no_memory_behind():
    opener, forger = XAES256GCM(KEY), XAES256GCM(bytes(KEY_SIZE))
    forged = [message(forger, number) for number in range(5000)]

    def open_forged():
        for sealed in forged:
            with pytest.raises(InvalidTag):
                opener.open(sealed, b"")

    assert memory_of(open_forged) < 10_000


def test_the_memory_of_sub_keys_is_bounded():
    opener = XAES256GCM(KEY)
    sealed = [message(opener, number) for number in range(20_000)]

    def open_all(messages):
        for one in messages:
            opener.open(one, b"")

    first = memory_of(lambda: open_all(sealed[:4000]))
    assert memory_of(lambda: open_all(sealed[4000:])) < first


def message(cipher, number):
    """A sealed empty message whose sub-key no other number shares."""
    nonce = number.to_bytes(HALF) + bytes(HALF)
    return nonce + cipher.encrypt(nonce, b"", b"")


def memory_of(work):
    """The bytes that are still held when `work` is done."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        work()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [20, 2048])
def test_threads_seal_and_open_with_one_cipher(size):
    cipher = XAES256GCM(KEY)
    plaintext = bytes(size)

    def seal_and_open(thread):
        # A clock that jumps: every thirty messages some thread begins a new sub-key.
        sealed = [cipher.seal(plaintext, b"aad", now=number // 30 * 1000) for number in range(2000)]
        return [cipher.open(one, b"aad") for one in sealed]

    with ThreadPoolExecutor(8) as threads:
        for opened in threads.map(seal_and_open, range(8)):
            assert opened == [plaintext] * 2000


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_fork_never_repeats_its_parents_nonces():
    cipher = XAES256GCM(KEY)
    cipher.seal(b"", b"", now=0)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"".join(nonces(cipher)))
        os._exit(0)
    os.close(writing)
    ours = nonces(cipher)
    with os.fdopen(reading, "rb") as pipe:
        theirs = pipe.read()
    assert os.waitpid(child, 0) == (child, 0)
    split = {theirs[start : start + NONCE_SIZE] for start in range(0, len(theirs), NONCE_SIZE)}
    assert len(split) == len(ours) == 1000
    assert split.isdisjoint(ours)


def nonces(cipher):
    return [cipher.seal(b"", b"", now=0)[:NONCE_SIZE] for _ in range(1000)]


def test_an_opener_derives_the_sub_key_of_an_authentic_message_once():
    opener = XAES256GCM(KEY)
    sealed = message(opener, 7)
    opener.open(sealed, b"")
    remembered = opener._sub_keys.get(sealed[:HALF])
    assert remembered is not None
    opener.open(sealed, b"")
    assert opener._sub_keys.get(sealed[:HALF]) is remembered
