package complaint

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// PhotoMost is how large one photo may be, bytes.
const PhotoMost = 8 << 20

// photoWait is how long a photo waits for its complaint, ms.
const photoWait = 3_600_000

// PutPhoto keeps a photo that was checked and stripped, and returns its id. A
// complaint must take it within an hour. Where there is no room those of
// complaints that ended longest ago go; an error of KindUnavailable: none has.
func (r *Register) PutPhoto(ctx context.Context, now int64, kind string, data []byte) (id string, err error) {
	if len(data) == 0 || len(data) > PhotoMost {
		return "", &city.Error{Kind: city.KindInvalid, Message: fmt.Sprintf("a photo has 1 to %d bytes", PhotoMost)}
	}
	err = r.change(ctx, now, func(x *change) error {
		if id, err = r.unguessable(); err != nil {
			return err
		}
		if err := x.makeRoom(int64(len(data))); err != nil {
			return err
		}
		row := []any{id, int64(0), now, kind, data}
		_, err := x.tx.ExecContext(x.ctx, "INSERT INTO photo (id, complaint, at, type, data, sum) VALUES (?, ?, ?, ?, ?, ?)", append(row, sqlite.Sum("photo", row...))...)
		return err
	})
	return id, err
}

const metaPhotos = "photo_bytes"

// makeRoom notes so many bytes more, and drops photos until they fit.
func (x *change) makeRoom(more int64) error {
	held, err := x.meta(metaPhotos)
	if err != nil {
		return err
	}
	for held+more > x.o.PhotoBytes {
		var id string
		var size int64
		err := x.tx.QueryRowContext(x.ctx, `SELECT p.id, length(p.data) FROM photo p JOIN complaint c ON c.num = p.complaint
			WHERE c.deadline = 0 ORDER BY p.at, p.id LIMIT 1`).Scan(&id, &size)
		if errors.Is(err, sql.ErrNoRows) {
			return &city.Error{Kind: city.KindUnavailable, Message: "there is no room for more photos at present: send the report without"}
		}
		if err == nil {
			_, err = x.tx.ExecContext(x.ctx, "DELETE FROM photo WHERE id = ?", id)
		}
		if err != nil {
			return err
		}
		held -= size
	}
	return x.setMeta(metaPhotos, held+more)
}

// takePhoto gives a photo to a complaint.
func (x *change) takePhoto(rec *record, id string) error {
	p, num, err := photoOf(x.ctx, x.tx, id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && num != 0 {
		return &city.Error{Kind: city.KindInvalid, Message: "the photo is there no more, or belongs to another report: send it again"}
	}
	if err != nil {
		return err
	}
	rec.Media = append(rec.Media, id)
	_, err = x.tx.ExecContext(x.ctx, "UPDATE photo SET complaint = ?, sum = ? WHERE id = ?", rec.num, sqlite.Sum("photo", id, rec.num, p.At, p.Type, p.Data), id)
	return err
}

func photoOf(ctx context.Context, q rower, id string) (p Photo, num int64, err error) {
	var sum int64
	if err = q.QueryRowContext(ctx, "SELECT complaint, at, type, data, sum FROM photo WHERE id = ?", id).Scan(&num, &p.At, &p.Type, &p.Data, &sum); err != nil {
		return p, 0, err
	}
	if p.ID = id; num != 0 {
		p.Complaint = idOf(num)
	}
	return p, num, sqlite.CheckSum(sum, "photo", id, num, p.At, p.Type, p.Data)
}

// Photo returns a photo. An error of KindNotFound: there is none, or no more.
func (r *Register) Photo(ctx context.Context, id string) (Photo, error) {
	p, _, err := photoOf(ctx, r.db.R, id)
	if errors.Is(err, sql.ErrNoRows) {
		return p, &city.Error{Kind: city.KindNotFound, Message: "there is no such photo"}
	}
	if err != nil {
		return p, fmt.Errorf("complaints: photo: %w", err)
	}
	return p, nil
}

// dropPhotos removes those that no complaint took.
func (x *change) dropPhotos() error {
	var bytes int64
	err := x.tx.QueryRowContext(x.ctx, "SELECT coalesce(sum(length(data)), 0) FROM photo WHERE complaint = 0 AND at < ?", x.now-photoWait).Scan(&bytes)
	if err != nil || bytes == 0 {
		return err
	}
	if _, err := x.tx.ExecContext(x.ctx, "DELETE FROM photo WHERE complaint = 0 AND at < ?", x.now-photoWait); err != nil {
		return err
	}
	held, err := x.meta(metaPhotos)
	if err != nil {
		return err
	}
	return x.setMeta(metaPhotos, held-bytes)
}
