"""A transaction of the user's that commits rows and cursor together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from continuable.core.checkpoints import Checkpoints

C = TypeVar("C")
S = TypeVar("S")


class Transaction(Generic[C, S]):
    """What `with step.transaction(connection) as tx` binds: `async with`, for async connections.

    `S` is what `save` gives: `None`, or something to await.
    """

    def __init__(
        self, commit: Callable[..., Any], checkpoints: Checkpoints, connection: Any
    ) -> None:
        self._commit = commit
        self._checkpoints = checkpoints
        self._connection = connection
        self._plain: AbstractContextManager[object]
        self._async: AbstractAsyncContextManager[None]

    def save(self, cursor: C, items: int = 1) -> S:
        """Write `cursor` in this transaction; counts `items`. As `Step.commit`."""
        saved: S = self._commit(cursor, self._connection, items)
        return saved

    def __enter__(self) -> Transaction[C, S]:
        from continuable.connections.connection import (
            transaction_on,  # here, since it takes longer to import
        )

        self._plain = transaction_on(self._connection)
        self._plain.__enter__()
        self._checkpoints.enter_transaction()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._plain.__exit__(kind, error, traceback)
        except BaseException:
            self._checkpoints.leave_transaction(is_committed=False)
            raise
        self._left(error)

    async def __aenter__(self) -> Transaction[C, S]:
        from continuable.connections.connection import async_transaction_on

        self._async = async_transaction_on(self._connection)
        await self._async.__aenter__()
        self._checkpoints.enter_transaction()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._async.__aexit__(kind, error, traceback)
        except BaseException:
            self._checkpoints.leave_transaction(is_committed=False)
            raise
        self._left(error)

    def _left(self, error: BaseException | None) -> None:
        self._checkpoints.leave_transaction(is_committed=error is None)
        if error is None:
            self._checkpoints.check()
