"""One session a sign-in: random, bounded, over when it is over, and carried over a restart without being in the file."""

from pathlib import Path

import pytest

from doorctl.core.types import SECOND, WallTime
from doorctl.monitord.alarms.sessions import IDLE, MOST, Sessions
from tests.monitord.board import NOON

TOKEN = "a-random-token-of-more-than-32-characters"


class Clock:
    now = NOON

    def __call__(self) -> WallTime:
        return self.now

    def wait(self, nanoseconds: int) -> None:
        self.now = WallTime(self.now + nanoseconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(tmp_path: Path, clock: Clock) -> Sessions:
    return Sessions(tmp_path / "console.sessions", TOKEN, clock)


def test_each_sign_in_is_a_session_of_its_own(sessions: Sessions) -> None:
    one, other = sessions.begin(), sessions.begin()
    assert one != other
    assert [sessions.knows(session) for session in (one, other, "", "guessed", "\ud800")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    sessions.end(one)
    sessions.end("guessed")
    assert [sessions.knows(session) for session in (one, other)] == [False, True]


def test_a_look_keeps_it_and_two_weeks_without_end_it(sessions: Sessions, clock: Clock) -> None:
    watched, left = sessions.begin(), sessions.begin()
    for _ in range(15):
        clock.wait(IDLE // 14)
        watches = sessions.knows(watched)
        assert watches
    assert not sessions.knows(left)
    clock.wait(IDLE + 1)
    assert not sessions.knows(watched)


def test_whoever_was_away_longest_gives_way(sessions: Sessions, clock: Clock) -> None:
    begun = []
    for _ in range(MOST):
        clock.wait(SECOND)
        begun.append(sessions.begin())
    clock.wait(SECOND)
    assert sessions.knows(begun[0])
    newest = sessions.begin()
    assert [sessions.knows(session) for session in (begun[0], begun[1], begun[2], newest)] == [True, False, True, True]


def test_a_restart_keeps_them_another_token_does_not(tmp_path: Path, sessions: Sessions, clock: Clock) -> None:
    path = tmp_path / "console.sessions"
    session = sessions.begin()
    assert path.stat().st_mode & 0o777 == 0o600
    assert session not in path.read_text(encoding="ascii")
    assert Sessions(path, TOKEN, clock).knows(session)
    assert not Sessions(path, "another-token-of-more-than-32-characters", clock).knows(session)
    sessions.end(session)
    assert not Sessions(path, TOKEN, clock).knows(session)


def test_the_file_learns_of_a_look_within_the_hour(tmp_path: Path, sessions: Sessions, clock: Clock) -> None:
    session = sessions.begin()
    clock.wait(IDLE - SECOND)
    assert sessions.knows(session)
    clock.wait(IDLE - SECOND)
    assert Sessions(tmp_path / "console.sessions", TOKEN, clock).knows(session)


@pytest.mark.parametrize("content", [b"", b"no json", b"[]", b'{"a": "b"}', b"[" * 60_000, b"\xff"])
def test_a_file_that_is_none_costs_a_sign_in_and_nothing_else(tmp_path: Path, clock: Clock, content: bytes) -> None:
    path = tmp_path / "console.sessions"
    path.write_bytes(content)
    sessions = Sessions(path, TOKEN, clock)
    assert sessions.knows(sessions.begin())


def test_where_nothing_can_be_written_people_sign_in_all_the_same(tmp_path: Path, clock: Clock) -> None:
    sessions = Sessions(tmp_path / "nowhere" / "console.sessions", TOKEN, clock)
    assert sessions.knows(sessions.begin())
