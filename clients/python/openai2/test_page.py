"""The examples of `docs/clients.md`."""

import pytest

from support import page


@pytest.mark.parametrize("section", page.of("openai2"))
def test_the_program_runs(gateway, section):
    assert "name='" in page.run(section, gateway)
