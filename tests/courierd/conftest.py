import pytest

from tests.courierd.lying_monitor import Certificates


@pytest.fixture(name="certificates", scope="session")
def fixture_certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.create(tmp_path_factory.mktemp("certificates"))
