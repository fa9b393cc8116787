// Package powercut is a disk that loses power, for tests. It is imported from
// tests only: the gateway does not link it, nor the driver that it stands on
// (github.com/ncruces/go-sqlite3, whose VFS can be one of ours).
//
// Every file that internal/sqlite opens below the disk's folder is then read
// and written through the disk:
//
//	disk := powercut.New(t, dir, seed)
//	disk.CutAfter(1234)    // or disk.Cut(), now
//	...                    // the program runs on dir until its calls fail
//	disk.Off()             // what survived is in dir; modernc's driver opens it
//
// What the disk promises is what POSIX and SQLite's documentation promise of a
// disk, and no more:
//
//   - What was written is read back at once, but only what was synced since
//     survives the cut for sure. Of the rest any part may survive: nothing, all,
//     the begin, or any subset of the sectors (512 bytes or 4 KiB), in any
//     order. The write that the cut interrupts is torn at any byte.
//   - A file that was made, or deleted, is so for sure once its folder was
//     synced, which SQLite does with a log's first sync. Before that a new file
//     may be gone or empty, and a deleted one back.
//   - Bytes beside those that are written do not change (SQLite calls it
//     powersafe overwrite, and its drivers assume it), and what was synced stays.
//
// Which part survives is decided by the seed and by the number of operations
// before the cut, by nothing else. Operations are writes, truncations, syncs,
// creations and deletions; reading is none.
//
// The folder is a real one. It shows the files' names as they are now, and in
// them what was synced, so that listings and unlinks of the program work on it.
// What the program does to files by itself, without SQLite, is durable at once.
//
// A file is open on one connection at a time, in WAL with
// locking_mode=EXCLUSIVE; another one is told that the file is busy.
package powercut
