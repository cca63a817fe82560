"""The examples of `docs/clients.md`."""

import pytest

from support import page


@pytest.mark.parametrize("section", page.of("sdks"))
def test_the_program_runs(gateway, section):
    assert "name='" in page.run(section, gateway)


def test_each_program_is_run_somewhere():
    assert list(page.programs()) == list(page.SECTIONS)
