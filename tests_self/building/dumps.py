"""A whole dump of a database, as text."""

BEGIN = "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET statement_timeout = 0;\n"
DATA = "COPY public.notes (id, text) FROM stdin;\n1\tpg_dump: error: seen\n2\terror: none\n\\.\n\n"
END = "--\n-- PostgreSQL database dump complete\n--\n\n"
GOOD = f"{BEGIN}{DATA}{END}\\unrestrict abc\n\n"
