"""The bytes of pictures that are kept by reference: fetched when they are wanted, and compared with their hash."""

from hashlib import sha256

from thresher.errors import Blocked, NotFetched, NotReady
from thresher.records import Image
from thresher.settings import Settings, without_password

WEB = ("http", "https")
OBJECT_STORES = ("s3", "gs", "gcs", "az", "abfs", "abfss")
SCHEMES = (*WEB, *OBJECT_STORES)
"""Where a picture may stay: whatever else an address names is no place that bytes are fetched from."""


class References:
    """Fetches a picture from the first of its addresses that still gives it. Safe from any thread, and after a fork.

    The web goes through the guard, object stores through fsspec with the machine's own credentials.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __call__(self, image: Image) -> bytes:
        """The bytes of an image with its aliases. Raises NotReady where no address gives bytes of its SHA-256."""
        told = "it has no address that bytes can be fetched from."
        for address in (alias.value for alias in image.aliases if alias.kind == "url"):
            scheme = address.partition("://")[0].lower()
            if scheme not in SCHEMES:
                continue
            try:
                data = self._web(address) if scheme in WEB else self._object(address)
            except (Blocked, NotFetched) as error:
                told = f"{without_password(address)}: {error.what}"
                continue
            if sha256(data).hexdigest() == image.sha256:
                return data
            told = f"{without_password(address)}: what lies there now is another picture."
        raise NotReady(
            f"image {image.row} is kept by reference, and cannot be fetched: {told}",
            next="harvest it with its bytes, or see that its address answers",
        )

    def _web(self, address: str) -> bytes:
        # here, for they are slow to import: every command opens a store, and few workspaces have references
        import asyncio
        from concurrent.futures import ThreadPoolExecutor

        from thresher.guard import GuardedFetcher

        async def fetched() -> bytes:
            async with GuardedFetcher(self._settings) as fetcher:
                return (await fetcher.fetch(address)).data

        # a loop of its own in a thread of its own: whoever reads a picture may be in one, and may be forked after it
        with ThreadPoolExecutor(1) as alone:
            return alone.submit(lambda: asyncio.run(fetched())).result()

    def _object(self, address: str) -> bytes:
        try:
            import fsspec  # an extra, and only here

            with fsspec.open(address, "rb") as file:
                data: bytes = file.read(self._settings.fetch_bytes + 1)
        except ImportError as error:
            raise NotFetched("it takes fsspec and its driver.", reason="fetch-failed", where=address) from error
        except Exception as error:  # each driver has errors of its own
            what = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            raise NotFetched(f"{what}.", reason="fetch-failed", where=address) from error
        if len(data) > self._settings.fetch_bytes:
            raise NotFetched("it is larger than fetch_bytes.", reason="fetch-too-large", where=address)
        return data
