import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Batcher(Generic[Asked, Answer]):
    """One query for all who ask while the last one was being answered. Alone nobody waits; in a rush many share."""

    def __init__(self, answer: Callable[[list[Asked]], Awaitable[Sequence[Answer]]], *, most: int = 200) -> None:
        self._answer = answer
        self._most = most
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, item: Asked) -> Answer:
        """Raises what the query raised, to everybody who shared it."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name="batcher")
        return await future

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[: self._most]
                del self._waiting[: self._most]
                await self._answer_batch(batch)
        finally:
            self._task = None

    async def _answer_batch(self, batch: list[tuple[Asked, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._answer([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001  # it belongs to those who asked
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():  # whoever asked may have gone
                future.set_result(answer)
