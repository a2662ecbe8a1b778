"""Lakes: folders of Parquet and Delta tables, by a local path or an address of fsspec; read only."""
