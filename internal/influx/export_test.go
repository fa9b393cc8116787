package influx

// Bound sets how many bytes of an answer are read.
func (r *Reader) Bound(n int64) { r.client.transport.most = n }
