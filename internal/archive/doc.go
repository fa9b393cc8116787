// Package archive keeps the days of the journal that are over: one Parquet
// file a kind of reading, sorted by device and time, and one of all other
// entries. "The archive is the journal, sorted": every column that the journal
// has is there, so that followers can be rebuilt from it, and DuckDB, pandas
// and Spark read it as it is. A file never changes.
//
// On disk, below the archive's folder:
//
//	spot/2026-03-02.parquet     one a kind: spot, gate, count, traffic, receipt, health, and other
//	days/2026-03-02.json        the day's files with their hashes; a day is archived when this is there
package archive
