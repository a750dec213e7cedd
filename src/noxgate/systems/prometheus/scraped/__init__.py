"""The text formats of /metrics, read as a scrape reads them."""
