"""Months of raw rows that lie in Parquet files of the private storage: `moving` puts them there, `files` reads them."""
