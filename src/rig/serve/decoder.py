"""Decodes the images that people send, each in a thread, and waits for none too long.

Python can't end a thread. One that takes too long is left to end by itself, and what it makes
is dropped. Until it ends it keeps its place, so that there are never more than a few; the
limits on size bound how long that can be. The threads are daemons: they don't hold Ctrl-C up.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from rig.errors import RigError
from rig.goals.goal_image import GoalImage, read_sent_image
from rig.serve.errors import RequestError


MAX_DECODE_S = 20.0
"""For an image to be decoded, and to wait for its turn."""
MAX_DECODES = 2


class Decoder:
    """Decodes a few images at once."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(MAX_DECODES)

    async def read(self, data: bytes, size: int) -> GoalImage:
        """Decode an image file.

        Args:
            data: The file's bytes.
            size: Width and height of the result, pixels.

        Raises:
            ImageError: They are not an image.
            RequestError: It took too long.
        """
        made: asyncio.Future[GoalImage] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(MAX_DECODE_S):
                await self._places.acquire()
                args = (lambda: read_sent_image(data, size), made)
                Thread(target=self._work, args=args, name="decode", daemon=True).start()
                return await made
        except TimeoutError as error:
            what = f"the file took more than {MAX_DECODE_S:.0f} s to decode"
            raise RequestError(422, "too_slow", what, "give a smaller image") from error

    def _work(self, read: Callable[[], GoalImage], made: "asyncio.Future[GoalImage]") -> None:
        image: GoalImage | None = None
        wrong: RigError = RequestError(500, "fault", "the image made the server fail")
        try:
            image = read()
        except RigError as error:
            wrong = error
        finally:
            with suppress(RuntimeError):  # the server has ended
                made.get_loop().call_soon_threadsafe(self._hand_over, made, image, wrong)

    def _hand_over(
        self, made: "asyncio.Future[GoalImage]", image: GoalImage | None, wrong: RigError
    ) -> None:
        self._places.release()
        if made.done():  # nobody waits any more
            return
        if image is None:
            made.set_exception(wrong)
        else:
            made.set_result(image)
