"""The tests, by the rooms of what they test."""

import pytest

pytest.register_assert_rewrite("testing")
