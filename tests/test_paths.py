from pathlib import Path

import pytest

from doorctl.errors import OperatorError
from doorctl.paths import Paths


def test_a_home_that_is_too_deep_for_sockets_is_refused_by_name() -> None:
    Paths.under(Path("/" + "x" * 80)).check_sockets()
    with pytest.raises(OperatorError, match="a socket's path has at most 107 bytes") as refused:
        Paths.under(Path("/" + "x" * 100)).check_sockets()
    assert refused.value.hint == "use a --home with a shorter path"


def test_the_service_s_own_places_fit() -> None:
    Paths.service().check_sockets()
