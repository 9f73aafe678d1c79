"""How a backup is laid out in a store, and the only code that writes, reads, copies and deletes one.

Under a prefix stand three objects:

- ``data.zst``: what the driver wrote, in one zstd frame;
- ``manifest.jsonl.zst``: what the driver recorded, one JSON object a line, and last the number of lines before;
- ``index.json``: what the other two must be (sizes, SHA-256), and what the backup is of.

The index is written last and deleted first: it is the mark of a complete backup. Without it a prefix is torn and never
a backup; with it a store can be read without the portal's database.
"""

from backups.artefacts.copying import copy_artefact
from backups.artefacts.layout import Index, StoredArtefactInfo, delete_artefact, index_key, read_index
from backups.artefacts.reading import StoredArtefact
from backups.artefacts.writing import ArtefactWriter

__all__ = [
    "ArtefactWriter",
    "Index",
    "StoredArtefact",
    "StoredArtefactInfo",
    "copy_artefact",
    "delete_artefact",
    "index_key",
    "read_index",
]
