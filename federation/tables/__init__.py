"""A party's own rows: reading, schema, commitment, quality report. Rows never leave this room's
caller; what is made to be shown (schema, commitment, report) gives no single row away."""

from federation.tables.commitment import (
    Commitment,
    CommittedTable,
    Hidden,
    Opening,
    Shown,
    check_opening,
    commit,
)
from federation.tables.disclosure import COUNT_BOUND
from federation.tables.errors import (
    DocumentInvalid,
    FieldUnknown,
    OpeningInvalid,
    TableInvalid,
    TableMalformed,
    TablesError,
)
from federation.tables.quality import FieldQuality, Finding, QualityReport, Spike, quality
from federation.tables.reading import read_csv
from federation.tables.schema import FieldKind, FieldSchema, Schema, schema_of
from federation.tables.table import FIELDS_MAX, ROWS_MAX, Table, split_label
from federation.tables.writing import write_csv

__all__ = [
    "COUNT_BOUND",
    "FIELDS_MAX",
    "ROWS_MAX",
    "Commitment",
    "CommittedTable",
    "DocumentInvalid",
    "FieldKind",
    "FieldQuality",
    "FieldSchema",
    "FieldUnknown",
    "Finding",
    "Hidden",
    "Opening",
    "OpeningInvalid",
    "QualityReport",
    "Schema",
    "Shown",
    "Spike",
    "Table",
    "TableInvalid",
    "TableMalformed",
    "TablesError",
    "check_opening",
    "commit",
    "quality",
    "read_csv",
    "schema_of",
    "split_label",
    "write_csv",
]
