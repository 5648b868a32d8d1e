"""The table of methods: how a category decides what to ask and when it is done."""

from collections.abc import Callable

from thresher.loop.certified import certified
from thresher.loop.methods import Wish, cascade

Method = Callable[..., Wish]
METHODS: dict[str, Method] = {"cascade": cascade, "certified": certified}
