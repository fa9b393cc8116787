package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// pagesInAll is how many pages the caches of all connections have together: 11
// MB. What was used least is given up for what is read, whosever it is; behind
// them stands the kernel's cache. Without it each page of 4 KiB with its header
// would take 8 KiB, since the C library gives out powers of two, and some
// thirty connections would keep as many as they may have.
const pagesInAll = 2560

// pageBytes is the size of most files' pages; others find no room in the pool.
const pageBytes = 4096

// setPages is done once, before the first file is opened. The pool is never
// given back.
var setPages = sync.OnceValue(func() error {
	tls := libc.NewTLS()
	defer tls.Close()
	const intSize = 4
	header := libc.Xmalloc(tls, intSize)
	if header == 0 {
		return errNoPool
	}
	defer libc.Xfree(tls, header)
	if err := configure(tls, sqlite3.SQLITE_CONFIG_PCACHE_HDRSZ, header); err != nil {
		return err
	}
	page := pageBytes + int32(binary.NativeEndian.Uint32(libc.GoBytes(header, intSize)))
	pool := libc.Xmalloc(tls, libc.Tsize_t(pagesInAll)*libc.Tsize_t(page))
	if pool == 0 {
		return errNoPool
	}
	return configure(tls, sqlite3.SQLITE_CONFIG_PAGECACHE, pool, page, int32(pagesInAll))
})

var errNoPool = errors.New("there is no memory for the pages of SQLite's files")

func configure(tls *libc.TLS, option int32, values ...any) error {
	args := libc.NewVaList(values...)
	defer libc.Xfree(tls, args)
	if rc := sqlite3.Xsqlite3_config(tls, option, args); rc != sqlite3.SQLITE_OK {
		return fmt.Errorf("sqlite3_config(%d) returned %d", option, rc)
	}
	return nil
}
