package sqlite

import (
	"fmt"
	"sync"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// pagesAtOnce is how many pages of a connection's cache, at most as many as it
// may have, are allocated as one: by itself a page of 4 KiB with its header
// takes 8 KiB, since the C library gives out powers of two.
const pagesAtOnce = 256

// setPages is done once, before the first file is opened.
var setPages = sync.OnceValue(func() error {
	tls := libc.NewTLS()
	defer tls.Close()
	args := libc.NewVaList(uintptr(0), int32(0), int32(pagesAtOnce)) // no buffer of ours
	defer libc.Xfree(tls, args)
	if rc := sqlite3.Xsqlite3_config(tls, sqlite3.SQLITE_CONFIG_PAGECACHE, args); rc != sqlite3.SQLITE_OK {
		return fmt.Errorf("sqlite3_config returned %d", rc)
	}
	return nil
})
