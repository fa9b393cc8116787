package complaint

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
)

// conditions builds the end of a query.
type conditions struct {
	text []string
	args []any
}

func (c *conditions) add(text string, args ...any) {
	c.text = append(c.text, text)
	c.args = append(c.args, args...)
}

// in asks for one of a list; nil: all.
func in[T ~string](c *conditions, column string, list []T) {
	if list == nil {
		return
	}
	args := make([]any, len(list))
	for i, v := range list {
		args[i] = string(v)
	}
	c.add(column+" IN ("+strings.TrimSuffix(strings.Repeat("?, ", len(list)), ", ")+")", args...)
}

func (q *Query) conditions() (*conditions, error) {
	c := &conditions{}
	if q.After != "" {
		num, ok := numOf(q.After)
		if !ok {
			return nil, &city.Error{Kind: city.KindInvalid, Message: "cursor: use the `next` of the page before", Fields: []city.FieldError{{Field: "cursor", Detail: "must be what `next` said"}}}
		}
		c.add("num < ?", num)
	}
	if q.IDs != nil {
		nums := make([]any, 0, len(q.IDs))
		for _, id := range q.IDs {
			if num, ok := numOf(id); ok {
				nums = append(nums, num)
			}
		}
		c.add("num IN ("+strings.TrimSuffix(strings.Repeat("?, ", len(nums)), ", ")+")", nums...)
	}
	in(c, "agency", q.Agencies)
	in(c, "service", q.Services)
	in(c, "state", q.States)
	in(c, "source", q.Sources)
	if q.Overdue {
		c.add("deadline > 0 AND deadline <= ?", q.Now)
	}
	if q.From != 0 {
		c.add("received >= ?", q.From)
	}
	switch {
	case q.To == 0:
	case q.open || q.endedAt != 0: // few are: not by the index of all that came before
		c.add("+received < ?", q.To)
	default:
		c.add("received < ?", q.To)
	}
	if q.UpdatedAt != 0 {
		c.add("updated >= ?", q.UpdatedAt)
	}
	if q.open {
		c.add("deadline > 0")
	}
	if q.endedAt != 0 {
		c.add("json_extract(CAST(data AS TEXT), '$.Closed') >= ?", q.endedAt)
	}
	if q.Public {
		c.add("public = 1")
	}
	if q.NoMoney {
		c.add("money = 0")
	}
	if q.Money {
		c.add("money = 1")
	}
	return c, nil
}

// Complaints returns a page and the cursor of the next, "" at the end. An error
// of KindInvalid: the cursor is none of ours.
func (r *Register) Complaints(ctx context.Context, q Query) (list []Complaint, next string, err error) {
	more := false
	err = r.each(ctx, &q, func(rec *record) bool {
		if q.Limit > 0 && len(list) == q.Limit {
			more = true
			return false
		}
		list = append(list, rec.Complaint)
		return true
	})
	if more {
		next = list[len(list)-1].ID
	}
	return list, next, err
}

// each calls f for the complaints of a query, the newest first, until it
// returns false. q.Limit is f's.
func (r *Register) each(ctx context.Context, q *Query, f func(*record) bool) error {
	c, err := q.conditions()
	if err != nil {
		return err
	}
	return r.scan(ctx, c, " ORDER BY num DESC", func(rec *record) bool {
		if q.Deliveries != nil && !slices.Contains(q.Deliveries, rec.Delivery) || q.Site != "" && !slices.Contains(rec.Subjects.Sites, q.Site) {
			return true
		}
		return f(rec)
	})
}

// scan calls f for what fulfils conditions, until it returns false.
func (r *Register) scan(ctx context.Context, c *conditions, order string, f func(*record) bool) error {
	query := "SELECT " + columns + " FROM complaint"
	if len(c.text) > 0 {
		query += " WHERE " + strings.Join(c.text, " AND ")
	}
	rows, err := r.db.R.QueryContext(ctx, query+order, c.args...)
	if err != nil {
		return fmt.Errorf("complaints: %w", err)
	}
	defer closeRows(rows)
	for rows.Next() {
		rec, err := scanRecord(rows)
		if err != nil {
			return fmt.Errorf("complaints: %w", err)
		}
		if !f(rec) {
			break
		}
	}
	return rows.Err()
}
