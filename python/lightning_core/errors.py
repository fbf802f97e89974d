"""Exceptions. Each is a :class:`LightningError`, and a built-in exception where one fits."""

from __future__ import annotations

from typing import Any

__all__ = [
    "DriverError",
    "FallbackWarning",
    "InvalidTypeError",
    "InvalidValueError",
    "LightningError",
    "NotInitializedError",
    "NotSupportedError",
    "OutOfMemoryError",
]


class LightningError(RuntimeError):
    """A failed call. Inputs and outputs are as they were before it.

    The text starts with the status token, which is also :attr:`kind`: ``"not initialized"``, ``"invalid value"``,
    ``"out of memory"``, ``"not supported"``, ``"driver error"`` or ``"unknown error"``.

    Attributes
    ----------
    kind : str
        The status token.
    op : str
        The function or op, or ``""``.
    argument : str
        The argument at fault, or ``""``.
    expected : str
        What would have been accepted, or ``""``.
    got : str
        What came, or ``""``.
    hint : str
        What to do about it, or ``""``.
    """

    kind: str
    op: str
    argument: str
    expected: str
    got: str
    hint: str

    def __init__(
        self,
        message: str = "",
        *,
        kind: str = "unknown error",
        op: str = "",
        argument: str = "",
        expected: str = "",
        got: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.op = op
        self.argument = argument
        self.expected = expected
        self.got = got
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        # The default passes positional arguments only and would lose the fields.
        return type(self), self.args, self.__dict__


class InvalidValueError(LightningError, ValueError):
    """An argument has the right type and a value, shape or size that the call cannot take."""


class InvalidTypeError(LightningError, TypeError):
    """An argument has a type or dtype that the call cannot take."""


class NotInitializedError(LightningError):
    """Something was used before it held data, such as a session that was not started."""


class OutOfMemoryError(LightningError, MemoryError):
    """Memory could not be had."""


class NotSupportedError(LightningError):
    """The request is sound, but nothing here can serve it under the policy in force."""


class DriverError(LightningError):
    """A device or its driver failed."""


class FallbackWarning(RuntimeWarning):
    """An op ran on another device than the one that was asked for; said once for each op and device.

    ``Policy(fallback="allow")`` silences it, ``Policy(fallback="deny")`` makes it an error.
    """
