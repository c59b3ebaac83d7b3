"""A check of a value as the models want it. PURE."""

from collections.abc import Callable
from typing import Any

from pydantic import PlainValidator

from config.written import written


def checked(check: Callable[[Any], Any]) -> PlainValidator:
    """A check as pydantic's validator: whatever it raises is an error of the key that it was asked about."""

    def validate(value: Any) -> Any:
        try:
            return check(value)
        except ValueError:
            raise
        except Exception as error:
            raise ValueError(f"{written(value)} cannot be used here ({type(error).__name__}: {error})") from None

    return PlainValidator(validate)
