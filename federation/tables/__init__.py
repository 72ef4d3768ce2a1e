"""A party's own rows: reading, schema, commitment, quality report. Rows never leave this room's
caller; what is made to be shown (schema, commitment, report) gives no single row away."""

from federation.tables.errors import (
    DocumentInvalid,
    FieldUnknown,
    OpeningInvalid,
    TableInvalid,
    TableMalformed,
    TablesError,
)
from federation.tables.reading import read_csv
from federation.tables.table import FIELDS_MAX, ROWS_MAX, Table, split_label

__all__ = [
    "FIELDS_MAX",
    "ROWS_MAX",
    "DocumentInvalid",
    "FieldUnknown",
    "OpeningInvalid",
    "Table",
    "TableInvalid",
    "TableMalformed",
    "TablesError",
    "read_csv",
    "split_label",
]
