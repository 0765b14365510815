"""What analysts are given: closed ranges of the log as Parquet files, and named views for SQL."""
