"""What the page's server answers when a request can't be met."""

from rig.errors import RigError


class RequestError(RigError):
    """A request can't be met: a status, a code for scripts, and what to do for people."""

    def __init__(self, status: int, code: str, what: str, todo: str = "") -> None:
        super().__init__(f"{what}: {todo}" if todo else what)
        self.status = status
        self.code = code
        self.what = what
        self.todo = todo


def not_found(code: str, what: str) -> RequestError:
    """Return the error for something that is not there."""
    return RequestError(404, code, what, "reload the page")
