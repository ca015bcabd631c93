"""A property worked out once, without a lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class lazily(Generic[T]):  # noqa: N801 - read as a decorator
    """As ``functools.cached_property``, for objects that belong to one thread.

    Until Python 3.12 that one holds a lock per property for all objects at once. A thread that waits inside
    for SQLite's write lock would then keep out the very thread that has it, and both would stand still.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> lazily[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> T | lazily[T]:
        if instance is None:
            return self
        # Not a data descriptor: from now on the attribute is found before this is asked.
        value = instance.__dict__[self._name] = self._make(instance)
        return value
