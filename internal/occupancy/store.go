package occupancy

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/sqlite"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

func migrations() (fs.FS, error) { return fs.Sub(migrationFiles, "migrations") }

// storedChunks returns the stored chunks from the one in which from lies to
// the last whose lo is at most to, without the newest, which is in memory, and
// without those before h, a held chunk at or before from (nil: none).
func (f *Follower) storedChunks(s *series, from, to int64, h *chunk) ([]chunk, error) {
	var least int64
	if h != nil {
		least = h.lo
	}
	rows, err := f.reads.chunks.QueryContext(f.ctx, s.id, to, s.tail.lo, least, from)
	if err != nil {
		return nil, fmt.Errorf("observations of %s: %w", s.device, err)
	}
	defer closeRows(rows)
	var list []chunk
	for rows.Next() {
		var c chunk
		var touched, sum int64
		var data sql.RawBytes
		if err := rows.Scan(&c.lo, &touched, &data, &sum); err != nil {
			return nil, fmt.Errorf("observations of %s: %w", s.device, err)
		}
		if err := sqlite.CheckSum(sum, "chunk", s.id, c.lo, touched, []byte(data)); err != nil {
			return nil, fmt.Errorf("observations of %s: %w", s.device, err)
		}
		if c.obs, err = decodeObs(data); err != nil {
			return nil, fmt.Errorf("observations of %s: %w", s.device, err)
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

// storedLo returns the least stored lo over lo, maxAt+1 for none.
func (f *Follower) storedLo(s *series, lo int64) (int64, error) {
	next := maxAt + 1
	err := f.reads.next.QueryRowContext(f.ctx, next, s.id, lo).Scan(&next)
	if err != nil {
		return 0, fmt.Errorf("observations of %s: %w", s.device, err)
	}
	return next, nil
}

// closeRows ends a reading; what went wrong is in rows.Err.
func closeRows(rows *sql.Rows) { _ = rows.Close() }

func rollupID(space, no int64) int64 { return space<<24 | no }

// block returns a block of a space to be changed: it is written at the next
// flush.
func (f *Follower) block(sp *space, no int64) (*block, error) {
	if b := sp.blocks[no]; b != nil {
		return b, nil
	}
	b, err := f.storedBlock(f.ctx, sp, no)
	if err != nil {
		return nil, err
	}
	if len(sp.blocks) == 0 {
		f.dirtySpaces = append(f.dirtySpaces, sp)
	}
	sp.blocks[no] = b
	return b, nil
}

func (f *Follower) storedBlock(ctx context.Context, sp *space, no int64) (*block, error) {
	var data []byte
	var touched, sum int64
	id := rollupID(sp.id, no)
	err := f.db.R.QueryRowContext(ctx, "SELECT touched, data, sum FROM rollup WHERE id = ?", id).Scan(&touched, &data, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return new(block), nil
	}
	if err == nil {
		err = sqlite.CheckSum(sum, "rollup", id, touched, data)
	}
	if err != nil {
		return nil, fmt.Errorf("roll-ups of %s: %w", sp.key.site, err)
	}
	b, err := decodeBlock(data)
	if err != nil {
		return nil, fmt.Errorf("roll-ups of %s: %w", sp.key.site, err)
	}
	return b, nil
}

// storedBlocks calls each for the stored blocks of a space in [from, to].
func storedBlocks(ctx context.Context, query *sql.Stmt, sp *space, from, to int64, each func(no int64, b *block)) error {
	rows, err := query.QueryContext(ctx, rollupID(sp.id, from), rollupID(sp.id, to))
	if err != nil {
		return fmt.Errorf("roll-ups of %s: %w", sp.key.site, err)
	}
	defer closeRows(rows)
	for rows.Next() {
		var id, touched, sum int64
		var data sql.RawBytes
		if err := rows.Scan(&id, &touched, &data, &sum); err != nil {
			return fmt.Errorf("roll-ups of %s: %w", sp.key.site, err)
		}
		if err := sqlite.CheckSum(sum, "rollup", id, touched, []byte(data)); err != nil {
			return fmt.Errorf("roll-ups of %s: %w", sp.key.site, err)
		}
		b, err := decodeBlock(data)
		if err != nil {
			return fmt.Errorf("roll-ups of %s: %w", sp.key.site, err)
		}
		each(id&(1<<24-1), b)
	}
	return rows.Err()
}

// storedBefore returns the number of the last stored block at or before no,
// -1 for none.
func (f *Follower) storedBefore(sp *space, no int64) (int64, error) {
	id := int64(-1)
	err := f.db.R.QueryRowContext(f.ctx, "SELECT coalesce(max(id), -1) FROM rollup WHERE id BETWEEN ? AND ?", rollupID(sp.id, 0), rollupID(sp.id, no)).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("roll-ups of %s: %w", sp.key.site, err)
	}
	if id < 0 {
		return -1, nil
	}
	return id & (1<<24 - 1), nil
}

// load reads what is kept in memory: the spaces, the series with their newest
// chunk, closures, the clock.
func (f *Follower) load() error {
	for _, step := range []func() error{f.prepareReads, f.loadMeta, f.loadSpaces, f.loadSeries, f.loadTails, f.loadClosures} {
		if err := step(); err != nil {
			return fmt.Errorf("occupancy: %w", err)
		}
	}
	return nil
}

func (f *Follower) loadMeta() error {
	if err := f.meta().Load(f.ctx, f.db.R); err != nil {
		return err
	}
	f.flushed = uint64(f.cursor)
	return nil
}

// meta are the numbers that are kept with the cursor.
func (f *Follower) meta() sqlite.Numbers {
	return sqlite.Numbers{
		"cursor": &f.cursor, "clock": &f.clock,
		"unknown": &f.count.Unknown, "mapped": &f.count.Mapped, "unused": &f.count.Unused, "forgotten": &f.count.Forgotten,
	}
}

func (f *Follower) loadSpaces() error {
	rows, err := f.db.R.QueryContext(f.ctx, "SELECT id, site, class, detection, configs, sum FROM space ORDER BY id")
	if err != nil {
		return err
	}
	defer closeRows(rows)
	for rows.Next() {
		sp := &space{blocks: map[int64]*block{}, settled: f.clock}
		var class, sum int64
		var detection, configs string
		if err := rows.Scan(&sp.id, &sp.key.site, &class, &detection, &configs, &sum); err != nil {
			return err
		}
		if err := sqlite.CheckSum(sum, "space", sp.id, sp.key.site, class, detection, configs); err != nil {
			return err
		}
		sp.key.class, sp.key.detection = city.Class(class), inventory.Detection(detection)
		if sp.configs, err = decodeSteps[config](configs); err != nil {
			return err
		}
		f.nextSpace = sp.id
		f.addSpace(sp)
	}
	return rows.Err()
}

func (f *Follower) loadSeries() error {
	byID := map[int64]*space{}
	for _, sp := range f.spaces {
		byID[sp.id] = sp
	}
	rows, err := f.db.R.QueryContext(f.ctx, "SELECT id, space, device, class, ttls, sum FROM series ORDER BY id")
	if err != nil {
		return err
	}
	defer closeRows(rows)
	for rows.Next() {
		s := new(series)
		var spaceID, class, sum int64
		var ttls string
		if err := rows.Scan(&s.id, &spaceID, &s.device, &class, &ttls, &sum); err != nil {
			return err
		}
		if err := sqlite.CheckSum(sum, "series", s.id, spaceID, s.device, class, ttls); err != nil {
			return err
		}
		sp := byID[spaceID]
		if sp == nil {
			return fmt.Errorf("series %d has no space: delete occupancy.db, it is rebuilt from the journal", s.id)
		}
		s.sp, s.class = sp, city.Class(class)
		if s.ttls, err = decodeSteps[int64](ttls); err != nil {
			return err
		}
		f.nextSeries = s.id
		f.addSeries(s)
	}
	return rows.Err()
}

func (f *Follower) loadTails() error {
	byID := make(map[int64]*series, f.many)
	for _, s := range f.allSeries() {
		byID[s.id] = s
	}
	// Three seeks a series: a grouping would read every chunk that there is.
	rows, err := f.db.R.QueryContext(f.ctx, `SELECT c.series, c.lo, c.touched, c.data, c.sum, (SELECT min(lo) FROM chunk WHERE series = s.id) FROM series s
		CROSS JOIN chunk c ON c.series = s.id AND c.lo = (SELECT max(lo) FROM chunk WHERE series = s.id)`)
	if err != nil {
		return err
	}
	defer closeRows(rows)
	for rows.Next() {
		var id, lo, touched, sum, least int64
		var data sql.RawBytes
		if err := rows.Scan(&id, &lo, &touched, &data, &sum, &least); err != nil {
			return err
		}
		if err := sqlite.CheckSum(sum, "chunk", id, lo, touched, []byte(data)); err != nil {
			return err
		}
		s := byID[id]
		if s == nil {
			return fmt.Errorf("observations of an unknown series %d: delete occupancy.db, it is rebuilt from the journal", id)
		}
		s.tail.lo, s.floor = lo, least
		s.sp.floor = max(s.sp.floor, ceilTo(least, BucketMs))
		if s.tail.obs, err = decodeObs(data); err != nil {
			return err
		}
		if o, ok := s.last(); ok {
			s.saved = o.at
			s.sp.holds(s.until(o))
		}
	}
	return rows.Err()
}
