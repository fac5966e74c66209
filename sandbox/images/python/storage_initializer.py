"""Stand-in for KServe's storage initializer, on KServe's own storage library: arguments are pairs of source and folder
(kserve/kserve@v0.20.0:python/storage-initializer/scripts/initializer-entrypoint)."""

import sys

from kserve_storage import Storage
from kserve_storage.logging import configure_logging, logger

if __name__ == "__main__":
    configure_logging()
    words = sys.argv[1:]
    if len(words) < 2 or len(words) % 2 == 1:
        sys.exit("usage: storage_initializer.py SOURCE FOLDER [SOURCE FOLDER]...")
    try:
        Storage.download_files(words[0::2], words[1::2])
    except Exception as error:
        logger.error("Nothing was brought: %s", error)
        sys.exit(1)
