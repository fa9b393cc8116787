package influx

// BoundRows sets how many rows of an answer are read.
func (r *Reader) BoundRows(n int) { r.rows = n }

// Bound sets how many bytes of an answer are read.
func (r *Reader) Bound(n int64) { r.client.transport.most = n }
