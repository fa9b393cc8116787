package watch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// packed is how many devices a row holds: what one reading changes is written
// with its neighbours.
const packed = 32

var errPack = errors.New("a pack of devices ends too early")

// encodePack appends devices one after the other: id, source, state, each with
// its length; a place that is free has no id. A longer state is one of a later
// version of the program.
func encodePack(data []byte, list []*gadget) []byte {
	for _, g := range list {
		if g == nil {
			data = append(data, 0)
			continue
		}
		data = appendText(appendText(data, g.id), g.source)
		data = g.append(binary.AppendUvarint(data, stateSize))
	}
	return data
}

func appendText(data []byte, text string) []byte {
	return append(binary.AppendUvarint(data, uint64(len(text))), text...)
}

func decodePack(data []byte) (list []*gadget, err error) {
	for len(data) > 0 {
		var id, source, state []byte
		if id, data, err = part(data); err != nil {
			return nil, err
		}
		if len(id) == 0 {
			list = append(list, nil)
			continue
		}
		if source, data, err = part(data); err != nil {
			return nil, err
		}
		if state, data, err = part(data); err != nil {
			return nil, err
		}
		g := &gadget{id: string(id), source: string(source)}
		g.read(state)
		list = append(list, g)
	}
	return list, nil
}

// part takes what has its length before it.
func part(data []byte) (p, rest []byte, err error) {
	n, size := binary.Uvarint(data)
	if size <= 0 || n > uint64(len(data)-size) {
		return nil, nil, errPack
	}
	return data[size : size+int(n)], data[size+int(n):], nil
}

// packOf is the kind of the rows of devices.
const packOf = "device"

func (f *Follower) loadPacks() error {
	rows, err := f.db.R.QueryContext(f.ctx, "SELECT n, data, sum FROM pack WHERE kind = ? ORDER BY n", packOf)
	if err != nil {
		return err
	}
	defer closeRows(rows)
	s := &f.gadgets
	for rows.Next() {
		var n, sum int64
		var data []byte
		if err := rows.Scan(&n, &data, &sum); err != nil {
			return err
		}
		if err := sqlite.CheckSum(sum, "pack", packOf, n, data); err != nil {
			return fmt.Errorf("pack %d: %w", n, err)
		}
		list, err := decodePack(data)
		if err != nil {
			return fmt.Errorf("pack %d: %w", n, err)
		}
		for i, g := range list {
			if g != nil {
				s.byID[g.id] = g
				s.put(int(n)*packed+i, g)
			}
		}
	}
	for i, g := range s.all {
		if g == nil {
			s.free = append(s.free, i)
		}
	}
	clear(s.soiled)
	return rows.Err()
}

func (f *Follower) writePacks() (err error) {
	s := &f.gadgets
	if !slices.Contains(s.soiled, true) {
		return nil
	}
	rows := f.db.Rows(f.ctx, `INSERT INTO pack (kind, n, data, sum) VALUES (?, ?, ?, ?)
		ON CONFLICT (kind, n) DO UPDATE SET data = excluded.data, sum = excluded.sum`)
	defer func() { err = errors.Join(err, rows.Close()) }()
	var data []byte
	for n, soiled := range s.soiled {
		if !soiled {
			continue
		}
		data = encodePack(data[:0], s.all[n*packed:min((n+1)*packed, len(s.all))])
		rows.Text(packOf)
		rows.Int(int64(n))
		rows.Blob(data)
		rows.Sum("pack")
		rows.Exec()
	}
	return nil
}
